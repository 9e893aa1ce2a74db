"""``make bench``: speed and memory, measured side by side in one run, printed as a table."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent))

import bench_agent
import bench_billing
import bench_decode
import bench_ingest
import bench_series
from figures import Figure

BENCHES: dict[str, Callable[[], Iterator[Figure]]] = {
    "decode": bench_decode.figures,
    "ingest": bench_ingest.figures,
    "agent": bench_agent.figures,
    "billing": bench_billing.figures,
    "series": bench_series.figures,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("which", nargs="*", choices=[*BENCHES, []], help="which benches; default: all")
    chosen = parser.parse_args().which or list(BENCHES)

    console = Console()
    table = Table(title=f"Nurt {version('nurt')}, Python {sys.version.split()[0]}, one machine, one run")
    for column, justify in (("what", "left"), ("figure", "right"), ("unit", "left"), ("remark", "left")):
        table.add_column(column, justify=justify)
    for name in chosen:
        with console.status(f"{name} ..."):
            for figure in BENCHES[name]():
                table.add_row(figure.what, figure.text, figure.unit, figure.remark)
    console.print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
