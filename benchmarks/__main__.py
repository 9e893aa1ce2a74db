"""``make bench``: speed and memory, measured side by side in one run, printed as a table."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.append(str(Path(__file__).parent))  # behind the root: benchmarks/anomaly is not the room anomaly

import bench_agent
import bench_anomaly
import bench_billing
import bench_charts
import bench_decode
import bench_ingest
import bench_series
import bench_store
from figures import Figure

BENCHES: dict[str, Callable[[], Iterator[Figure]]] = {
    "decode": bench_decode.figures,
    "ingest": bench_ingest.figures,
    "agent": bench_agent.figures,
    "anomaly": bench_anomaly.figures,
    "billing": bench_billing.figures,
    "charts": bench_charts.figures,
    "series": bench_series.figures,
    "store": bench_store.figures,
}
"""What `make bench` runs."""

LONG: dict[str, Callable[[], Iterator[Figure]]] = {"query": bench_store.query_figures}
"""What takes long, and is run by name only."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("which", nargs="*", choices=[*BENCHES, *LONG, []], help="which benches; default: all")
    chosen = parser.parse_args().which or list(BENCHES)

    console = Console()
    table = Table(title=f"Nurt {version('nurt')}, Python {sys.version.split()[0]}, one machine, one run")
    for column, justify in (("what", "left"), ("figure", "right"), ("unit", "left"), ("remark", "left")):
        table.add_column(column, justify=justify)
    for name in chosen:
        with console.status(f"{name} ..."):
            for figure in (BENCHES | LONG)[name]():
                table.add_row(figure.what, figure.text, figure.unit, figure.remark)
    console.print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
