"""``slicewright train``: models from labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from slicewright.cli.old_names import taking_old_names
from slicewright.cli.options import command_group, output, progress_output, require_extra

if TYPE_CHECKING:
    from slicewright.models.cards import Card

app = command_group("Train models.")

_OUT = typer.Option(Path("models"), "--output", "-o", metavar="DIR", help="Folder for the model's files.")
_SCALE = typer.Option("shipped", "--scale", help="smoke, shipped or full.")
_SEED = typer.Option(0, "--seed", min=0, help="Seed of everything random.")
_EPOCHS = typer.Option(None, "--epochs", min=1, help="Passes over the data, instead of the scale's.")


@app.command(context_settings=taking_old_names("train slicing"))
def slicing(
    model: str = typer.Option(
        "bipartite",
        "--model",
        "-m",
        help="deepsets-s, deepsets, set-transformer-2, set-transformer-4 or bipartite.",
    ),
    labels: Path | None = typer.Option(
        None,
        "--labels",
        metavar="DIR",
        help="Label store to learn from (`slicewright labels build`); solved on the spot by default.",
    ),
    out: Path = _OUT,
    scale: str = _SCALE,
    device: str = typer.Option(
        "cpu", "--device", help="cpu, gpu, mps or auto; only cpu repeats bit for bit."
    ),
    seed: int = _SEED,
    epochs: int | None = _EPOCHS,
) -> None:
    """Train a model that plans scenarios and write it as ONNX and safetensors, with its card.

    Serve what you trained with `SLICEWRIGHT_MODELS=models slicewright plan SCENARIO --method MODEL`.
    """
    require_extra("training", "train", "torch", "lightning", "onnx")
    with progress_output().status("loading torch") as status:
        from slicewright.learning.slicing.recipes import train
        from slicewright.learning.slicing.solved_scenarios import from_store

        card = train(
            model,
            out,
            scale=scale,
            instances=None if labels is None else from_store(labels),
            seed=seed,
            epochs=epochs,
            device=device,
            report=lambda line: status.update(f"{model}: {line}"),
        )
    _show(card, out)


@app.command(context_settings=taking_old_names("train placement"))
def placement(
    model: str = typer.Option(
        "queue-network", "--model", "-m", help="gnn, mlp, decision-tree or queue-network."
    ),
    out: Path = _OUT,
    scale: str = _SCALE,
    seed: int = _SEED,
    epochs: int | None = _EPOCHS,
) -> None:
    """Train a model that places tasks and write it as ONNX, with its card.

    Serve what you trained with `SLICEWRIGHT_MODELS=models slicewright place TASKS --method MODEL`.
    """
    require_extra("training", "train", "torch", "lightning", "sklearn", "onnx")
    with progress_output().status("loading torch") as status:
        from slicewright.learning.placement.recipes import train

        card = train(
            model,
            out,
            scale=scale,
            seed=seed,
            epochs=epochs,
            report=lambda line: status.update(f"{model}: {line}"),
        )
    _show(card, out)


def _show(card: Card, folder: Path) -> None:
    console = output()
    console.print(f"{folder / card.file}: {card.parameters} parameters, sha256 {card.sha256[:16]}…")
    for name, value in card.figures.items():
        console.print(f"  {name}: {_figures(value)}", soft_wrap=True)


def _figures(value: object) -> str:
    """Numbers of a card as people read them; the card has all their digits."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_figures(inner)}" for name, inner in value.items())
    return f"{value:.4g}" if isinstance(value, float) else str(value)
