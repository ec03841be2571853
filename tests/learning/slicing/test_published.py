from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from slicewright.errors import UnknownNameError
from slicewright.learning.slicing.networks.encoders import Standardise
from slicewright.learning.slicing.networks.heads import (
    BandwidthHead,
    Choice,
    ShareHead,
    bandwidth_loss,
    choice_loss,
    factored_classes,
    normalised,
    share_loss,
)
from slicewright.learning.slicing.networks.joint import JointModel, joint_loss, packed_target
from slicewright.learning.slicing.networks.published import (
    DESIGNS,
    Design,
    PublishedModel,
    ShareModel,
    published_design,
    share_model,
)
from slicewright.models.slicing.features import row_widths
from tests.learning.small_models import SIZES, random_published

NAMES = tuple(DESIGNS)


def inputs(batch: int, devices: int, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    made = torch.Generator().manual_seed(seed)
    orchestrator, manager = row_widths(*SIZES)
    return (
        torch.randn(batch, devices, orchestrator, generator=made),
        torch.randn(batch, SIZES.slices, devices, manager, generator=made),
        torch.ones(batch, devices),
    )


def models(published: PublishedModel) -> dict[str, PublishedModel]:
    return {"trained": published} | {name: random_published(name) for name in NAMES}


@torch.no_grad()
def test_answers_follow_a_permutation_of_devices(published: PublishedModel) -> None:
    network, slices, mask = inputs(2, 11)
    mask[1, 7:] = 0
    order = torch.randperm(11, generator=torch.Generator().manual_seed(1))
    for name, model in models(published).items():
        decision, offload, share, bandwidth = model(network, slices, mask)
        d2, o2, s2, b2 = model(network[:, order], slices[:, :, order], mask[:, order])
        real = mask[:, order] > 0
        torch.testing.assert_close(d2[real], decision[:, order][real], atol=1e-5, rtol=1e-4, msg=name)
        torch.testing.assert_close(o2[real], offload[:, order][real], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(s2, share[:, :, order], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(b2, bandwidth, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_padded_rows_change_nothing_whatever_they_hold(published: PublishedModel) -> None:
    network, slices, mask = inputs(1, 6)
    rubbish = inputs(1, 4, seed=9)
    padded = (
        torch.cat([network, rubbish[0]], 1),
        torch.cat([slices, rubbish[1]], 2),
        torch.cat([mask, 0 * rubbish[2]], 1),
    )
    for name, model in models(published).items():
        short, long = model(network, slices, mask), model(*padded)
        torch.testing.assert_close(long[0][:, :6], short[0], atol=1e-5, rtol=1e-4, msg=name)
        torch.testing.assert_close(long[2][:, :, :6], short[2], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(long[3], short[3], atol=1e-5, rtol=1e-4)
        assert (long[2][:, :, 6:] == 0).all()


@pytest.mark.parametrize("devices", [1, 500])
@torch.no_grad()
def test_shares_never_exceed_one_and_decisions_are_distributions(
    published: PublishedModel, devices: int
) -> None:
    given = inputs(1, devices)
    for model in models(published).values():
        decision, offload, share, bandwidth = model(*given)
        assert (share.sum(dim=2) <= 1 + 1e-5).all()  # 13e
        assert (bandwidth.sum(dim=2) <= 1 + 1e-5).all()  # 13d
        assert (share >= 0).all()
        assert (bandwidth >= 0).all()  # 13f, 13g
        torch.testing.assert_close(decision.sum(-1), torch.ones(1, devices))
        assert ((offload >= 0) & (offload <= 1)).all()


@torch.no_grad()
def test_an_all_padding_row_gives_no_nan(published: PublishedModel) -> None:
    network, slices, _ = inputs(1, 3)
    for model in models(published).values():
        assert all(torch.isfinite(x).all() for x in model(network, slices, torch.zeros(1, 3)))


def test_without_slack_used_resources_are_used_up() -> None:
    z, mask = torch.randn(2, 5, 4), torch.ones(2, 5)
    plain = ShareHead(4, 3, slack=False)(z, mask).exp()
    torch.testing.assert_close(plain[:, 1:].sum(1), torch.ones(2, 3))
    slack = ShareHead(4, 3, slack=True)(z, mask).exp()
    assert (slack[:, 1:].sum(1) < 1).all()
    torch.testing.assert_close(slack.sum(1), torch.ones(2, 3))


def test_share_loss_is_equation_36() -> None:
    log_share = torch.log(torch.tensor([[[0.5], [0.3], [0.2]]]))
    target = torch.tensor([[[0.6], [0.0]]])  # slack 0.4 by (35)
    expected = -(0.4 * math.log(0.5) + 0.6 * math.log(0.3))
    assert share_loss(log_share, target).item() == pytest.approx(expected, rel=1e-6)


def test_bandwidth_loss_is_equation_41() -> None:
    log_share = torch.log(torch.tensor([[[0.2, 0.5, 0.3], [0.6, 0.1, 0.3]]]))
    target = torch.tensor([[[0.25, 0.75], [0.0, 0.0]]])  # the second access point is unused: all slack
    expected = -(0.25 * math.log(0.5) + 0.75 * math.log(0.3) + math.log(0.6)) / 2
    assert bandwidth_loss(log_share, target).item() == pytest.approx(expected, rel=1e-6)


def test_choice_loss_is_equation_51() -> None:
    nodes, slices = 2, 3
    place = (1, 0, 2)  # a, j, n
    label = 1 + (place[0] * nodes + place[1]) * slices + place[2]
    logits = torch.arange(13.0).reshape(1, 1, 13)
    n, a, j = torch.tensor([[[0.0, 1.0, 2.0]]]), torch.tensor([[[0.5, 0.0]]]), torch.tensor([[[0.0, 3.0]]])
    got = choice_loss(
        Choice(logits, torch.tensor([[0.7]]), n, a, j), torch.tensor([[label]]), torch.ones(1, 1)
    )
    cross = lambda x, k: -torch.log_softmax(x.flatten(), 0)[k].item()
    binary = math.log(1 + math.exp(-0.7))
    parts = cross(n, place[2]) + cross(a, place[0]) + cross(j, place[1])
    assert got.item() == pytest.approx(cross(logits, label) + binary + parts, rel=1e-5)


def test_choice_loss_ignores_padding_and_places_of_local_devices() -> None:
    head = Choice(
        torch.randn(1, 2, 19),
        torch.randn(1, 2),
        torch.randn(1, 2, 3),
        torch.randn(1, 2, 2),
        torch.randn(1, 2, 3),
    )
    label = torch.tensor([[0, 5]])
    one = choice_loss(head, label, torch.tensor([[1.0, 0.0]]))
    changed = head._replace(slice=torch.randn(1, 2, 3), access_point=torch.randn(1, 2, 2))
    assert one == choice_loss(changed, label, torch.tensor([[1.0, 0.0]]))


def test_bandwidth_is_a_function_of_the_set() -> None:
    head = BandwidthHead(4, 3, 2, slack=True)
    z = torch.randn(1, 5, 4)
    torch.testing.assert_close(head(z, torch.ones(1, 5)), head(z[:, [4, 2, 0, 1, 3]], torch.ones(1, 5)))
    assert head(z, torch.ones(1, 5)).shape == (1, 3, 3)


def test_standardise_is_equation_21() -> None:
    rows = torch.tensor([[[1.0, 5.0], [3.0, 5.0], [99.0, 99.0]]])
    mask = torch.tensor([[1.0, 1.0, 0.0]])
    made = Standardise(2)
    made.fit(rows, mask)
    np.testing.assert_allclose(made(rows, mask).numpy(), [[[-1, 0], [1, 0], [0, 0]]], atol=1e-6)


def test_an_unknown_design_is_named() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'deepsets-s'"):
        published_design("deepset-s")


@torch.no_grad()
def test_managers_that_share_nothing_answer_their_own_slice_alone() -> None:
    _, slices, mask = inputs(2, 7)
    model = share_model(slices.shape[-1], SIZES, Design(per_slice=True)).eval()
    before = model(slices, mask)
    changed = slices.clone()
    changed[:, 1] += 1.0
    after = model(changed, mask)
    torch.testing.assert_close(after[:, [0, 2]], before[:, [0, 2]])
    assert not torch.allclose(after[:, 1], before[:, 1])
    assert isinstance(share_model(slices.shape[-1], SIZES, Design()), ShareModel)


@torch.no_grad()
def test_exponentials_added_over_devices_can_be_the_closed_form() -> None:
    """Scores of log sqrt(T) where a device uses the slice: the head is then (15) itself."""
    made = torch.Generator().manual_seed(3)
    time, slice_ = torch.rand(9, generator=made) + 0.1, torch.randint(3, (9,), generator=made)
    scores = torch.full((1, 9, 3), -1e6)
    scores[0, torch.arange(9), slice_] = time.sqrt().log()
    head = BandwidthHead(3, 1, 3, slack=False, log_sum=True)
    head.score.weight.copy_(torch.eye(3))
    head.score.bias.zero_()
    wanted = torch.stack([time.sqrt()[slice_ == n].sum() for n in range(3)]) / time.sqrt().sum()
    torch.testing.assert_close(head(scores, torch.ones(1, 9))[0, 0, 1:].exp(), wanted)


def test_normalised_labels_sum_to_one_and_keep_what_is_used() -> None:
    target = torch.zeros(1, 4, 2)
    target[0, :2, 0] = torch.tensor([0.25, 0.75])
    mask = torch.tensor([[1.0, 1.0, 1.0, 0.0]])
    out = normalised(target, mask)
    torch.testing.assert_close(out.sum(dim=1), torch.ones(1, 2))
    torch.testing.assert_close(out[..., 0], target[..., 0])
    assert out[0, 3, 1] == 0


def test_separate_heads_name_the_class_of_the_joint_head() -> None:
    slices, points, nodes = 3, 2, 4
    for a in range(points):
        for j in range(nodes):
            for n in range(slices):
                heads = (torch.eye(size)[index] for size, index in ((slices, n), (points, a), (nodes, j)))
                choice = Choice(
                    torch.zeros(1, 1, 25), torch.ones(1, 1), *(x.reshape(1, 1, -1) for x in heads)
                )
                assert factored_classes(choice).item() == 1 + (a * nodes + j) * slices + n
                assert factored_classes(choice._replace(offload=-torch.ones(1, 1))).item() == 0


def test_one_encoder_for_all_three_learns_all_three() -> None:
    rows, _, mask = inputs(1, 5)
    made = torch.Generator().manual_seed(0)
    share = torch.rand(3, 5, 12, generator=made) / 5
    bandwidth = torch.rand(3, 3, generator=made) / 3
    choice = torch.randint(82, (5,), generator=made)
    target = packed_target(share, bandwidth, choice)[None]
    torch.manual_seed(0)
    model = JointModel(rows.shape[-1], SIZES, Design())
    loss = joint_loss(model, rows, mask, target)
    loss.backward()
    for part in (model.encoder, model.sp1, model.sp2, model.sp3):
        assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in part.parameters())
    answer = model(rows, mask)
    by_hand = share_loss(answer.share, share.permute(1, 0, 2).reshape(1, 5, -1))
    by_hand = by_hand + bandwidth_loss(answer.bandwidth, bandwidth[None])
    torch.testing.assert_close(loss, by_hand + choice_loss(answer.choice, choice[None], mask))
