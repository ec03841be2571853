"""``slicewright train``: models from labels."""

from __future__ import annotations

from pathlib import Path

import typer

app = typer.Typer(no_args_is_help=True, help="Train models.")


@app.callback()
def train() -> None:
    """Train models."""


@app.command()
def placement(
    model: str = typer.Option(
        "queue-network", "--model", "-m", help="gnn, mlp, decision-tree or queue-network."
    ),
    out: Path = typer.Option(Path("models"), "--out", "-o", help="Folder for the model and its card."),
    scale: str = typer.Option("shipped", "--scale", help="smoke, shipped or full."),
    seed: int = typer.Option(0, "--seed", min=0, help="Seed of everything random."),
    epochs: int | None = typer.Option(
        None, "--epochs", min=1, help="Passes over the data, instead of the scale's."
    ),
) -> None:
    """Train a model of problem two and write it as ONNX, with its card.

    Serve what you trained with `SLICEWRIGHT_MODELS=models slicewright place TASKS --method MODEL`.
    """
    from importlib.util import find_spec

    from slicewright.cli.options import output, progress_output
    from slicewright.errors import MissingExtraError

    if find_spec("torch") is None or find_spec("sklearn") is None or find_spec("onnx") is None:
        raise MissingExtraError("training", "train")
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
    output().print(f"{out / card.file}: {card.parameters} parameters, sha256 {card.sha256[:16]}…")
    for name, value in card.figures.items():
        output().print(f"  {name}: {value}")


@app.command()
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
        help="Label store to learn from (`slicewright labels build`); solved on the spot by default.",
    ),
    out: Path = typer.Option(
        Path("models"), "--out", "-o", help="Folder for the model, its weights and its card."
    ),
    scale: str = typer.Option("shipped", "--scale", help="smoke, shipped or full."),
    device: str = typer.Option(
        "cpu", "--device", help="cpu, gpu, mps or auto; only cpu repeats bit for bit."
    ),
    seed: int = typer.Option(0, "--seed", min=0, help="Seed of everything random."),
    epochs: int | None = typer.Option(
        None, "--epochs", min=1, help="Passes over the data, instead of the scale's."
    ),
) -> None:
    """Train a model of problem one and write it as ONNX and safetensors, with its card.

    Serve what you trained with `SLICEWRIGHT_MODELS=models slicewright plan SCENARIO --method MODEL`.
    """
    from importlib.util import find_spec

    from slicewright.cli.options import output, progress_output
    from slicewright.errors import MissingExtraError

    if find_spec("torch") is None or find_spec("lightning") is None:
        raise MissingExtraError("training", "train")
    remarks = progress_output()
    with remarks.status("loading torch") as status:
        from slicewright.learning.instances import from_store
        from slicewright.learning.recipes import train as train_model

        card = train_model(
            model,
            out,
            scale=scale,
            instances=None if labels is None else from_store(labels),
            seed=seed,
            epochs=epochs,
            device=device,
            report=lambda line: status.update(f"{model}: {line}"),
        )
    output().print(f"{out / card.file}: {card.parameters} parameters, sha256 {card.sha256[:16]}…")
    for name, value in card.figures.items():
        output().print(f"  {name}: {value}")
