"""``slicewright serve`` on the command line: settings from flags, and errors in the words of flags."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
import typer

from slicewright.cli.commands.operating.serve import FLAGS, error_in_flags, in_flags, serve
from slicewright.control.serve.process import serve_forever
from slicewright.control.serve.settings import ServeSettings
from slicewright.control.state.options import ControlOptions
from slicewright.errors import InvalidOptionError, SlicewrightError, UnknownNameError


def asked(monkeypatch: pytest.MonkeyPatch, *words: str) -> ServeSettings:
    """The settings that a command line leads to."""
    found: list[ServeSettings] = []
    process = "slicewright.control.serve.process.serve_forever"
    monkeypatch.setattr(process, lambda settings, **told: found.append(settings))
    app = typer.Typer(add_completion=False)
    app.command()(serve)
    typer.main.get_command(app).main(list(words), standalone_mode=False)
    return found[0]


def test_without_words_every_setting_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked(monkeypatch) == ServeSettings()


def test_a_simulated_crowd_is_for_all_in_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    said = asked(monkeypatch, "paper-slicing", "--simulate")
    assert said == ServeSettings(scenario="paper-slicing", simulate=True)
    for wrong in (
        ServeSettings(simulate=True),
        ServeSettings("paper-slicing", simulate=True, tokens=Path("t")),
        ServeSettings("paper-slicing", simulate=True, role="sro", nats="nats://127.0.0.1:1"),
    ):
        with pytest.raises(InvalidOptionError, match="simulate"):
            serve_forever(wrong, say=lambda line: None)


def test_every_setting_has_a_flag_that_reaches_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {f.name for f in fields(ServeSettings)} - {"options"} <= FLAGS.keys()
    words = (
        "s.json --host ::1 -p 9 --role sro --slice a --slice b --nats nats://x:1 --nats-credentials c --nats-ca d "
        "--nats-certificate e --nats-key f --instance g --store h --store-segment 2MB --store-keep 3 --store-archive j "
        "--tokens i -m greedy "
        "--shares deepsets-s --rounds 7 --epoch 2s --deadline 100ms --per-epoch"
    )
    options = ControlOptions(rounds=7, epoch_s=2.0, deadline_s=0.1, on_demand=False, shares="deepsets-s")
    assert asked(monkeypatch, *words.split()) == ServeSettings(
        scenario="s.json",
        host="::1",
        port=9,
        role="sro",
        slices=("a", "b"),
        nats="nats://x:1",
        nats_credentials=Path("c"),
        nats_ca=Path("d"),
        nats_certificate=Path("e"),
        nats_key=Path("f"),
        instance="g",
        store=Path("h"),
        store_segment_bytes=2_000_000,
        store_keep=3,
        store_archive=Path("j"),
        tokens=Path("i"),
        method="greedy",
        options=options,
    )


@pytest.mark.parametrize("words", [("--store-segment", "large"), ("--epoch", "soon"), ("--deadline", "-1s")])
def test_sizes_and_durations_that_are_none_are_refused_by_their_flag(
    monkeypatch: pytest.MonkeyPatch, words: tuple[str, str]
) -> None:
    with pytest.raises(InvalidOptionError) as caught:
        asked(monkeypatch, *words)
    assert caught.value.field == words[0]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            ServeSettings(role="boss"),
            "--role is 'boss' but must be one of all, sro, slice-manager",
        ),
        (
            ServeSettings(role="sro"),
            "--role is 'sro' but needs a transport between the roles; add --nats URL",
        ),
        (
            ServeSettings(role="slice-manager", nats="nats://127.0.0.1:1"),
            "--slice: must name at least one slice to manage",
        ),
        (ServeSettings(slices=("s0",)), "--slice: is for --role slice-manager"),
        (
            ServeSettings(store_segment_bytes=9),
            "--store-segment: is for a journal in files; add --store FILE, or leave it out",
        ),
        (
            ServeSettings(store=Path("a"), store_keep=1),
            "--store-keep: is for a journal in several files; add --store-segment SIZE",
        ),
        (
            ServeSettings(role="sro", nats="nats://127.0.0.1:1", options=ControlOptions(shares="deepsets-s")),
            "--shares is 'deepsets-s' but is for slice managers; give it to their processes",
        ),
        (
            ServeSettings(host="0.0.0.0"),
            "--host is '0.0.0.0' but must be this machine (127.0.0.1) without tokens; add --tokens FILE",
        ),
    ],
)
def test_what_does_not_go_together_is_said_in_flags(settings: ServeSettings, sentence: str) -> None:
    with pytest.raises(InvalidOptionError) as caught:
        serve_forever(settings, say=lambda line: None)
    assert caught.value.field in {f.name for f in fields(ServeSettings)} | {"shares"}
    assert str(error_in_flags(caught.value)) == sentence


def test_names_that_do_not_exist_are_refused_with_the_nearest() -> None:
    for settings in (
        ServeSettings(method="autoo"),
        ServeSettings(options=ControlOptions(shares="deepset-s")),
    ):
        with pytest.raises(UnknownNameError, match="did you mean"):
            serve_forever(settings, say=lambda line: None)


def test_settings_in_sentences_become_flags() -> None:
    assert in_flags("check `nats_credentials`, or `no_such` thing") == (
        "check --nats-credentials, or `no_such` thing"
    )
    assert in_flags("add `nats`", whole=True) == "add --nats URL"
    refused = SlicewrightError("x has no certificate by `nats_ca` a.pem")
    assert str(error_in_flags(refused)) == "x has no certificate by --nats-ca a.pem"
    assert error_in_flags(other := SlicewrightError("something else")) is other
