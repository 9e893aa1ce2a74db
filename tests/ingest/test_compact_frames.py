"""Compact frames: of a layout the models know, of one heard, of one not heard yet."""

from __future__ import annotations

from decimal import Decimal

from decoders.build import build
from decoders.wmbus.compact import compact_frame, format_frame
from decoders.wmbus.layouts import Layouts
from ingest.judge import Judge
from ingest.pipeline import Pipeline
from ingest.replay import Replay
from ingest.shared_layouts import exchange
from ingest.upkeep import Upkeep
from metering.ports import Outcome

FULL = bytes.fromhex("0413181E0000 4413 10270000 046D0F0A2137".replace(" ", ""))
MULTICAL_21 = bytes.fromhex("02FF200000 0413181E0000 441310270000 615B0A 616714")


def frame(make, payload: bytes, ci: int) -> bytes:
    return build(make.meter(), payload, header="none", ci=ci)


def ended(pipeline: Pipeline, make, payload: bytes, ci: int, number: int) -> str:
    [result] = pipeline.accept([make.up(make.item(frame(make, payload, ci), number))])
    return f"{result.outcome} {result.reason}".strip()


def test_a_layout_the_models_know_needs_no_full_frame(store, make, see):
    assert ended(Pipeline(store), make, compact_frame(MULTICAL_21), 0x79, 1) == Outcome.STORED
    assert [value for _, value in see.volumes(store, make.meter())] == [Decimal("7.704")]


def test_a_compact_frame_is_held_until_its_layout_was_heard(store, make, see):
    pipeline = Pipeline(store)
    assert ended(pipeline, make, compact_frame(FULL), 0x79, 1) == "held unknown_layout"
    assert ended(pipeline, make, FULL, 0x78, 2) == "stored"
    later = compact_frame(FULL.replace(b"\x18\x1e", b"\x19\x1e"))
    assert ended(pipeline, make, later, 0x79, 3) == "stored"
    told = sorted(value for _, value in see.volumes(store, make.meter()))
    assert told == [Decimal("7.704"), Decimal("7.705")]


def test_a_format_frame_teaches_and_brings_no_reading(store, make, see):
    pipeline = Pipeline(store)
    assert ended(pipeline, make, format_frame(bytes.fromhex("04134413046D")), 0x69, 1) == "stored"
    assert see.volumes(store, make.meter()) == []
    assert ended(pipeline, make, compact_frame(FULL), 0x79, 2) == "stored"


def test_data_that_do_not_fit_their_layout_are_held(store, make, see):
    broken = compact_frame(FULL)[:-1] + b"\x00"
    pipeline = Pipeline(store)
    assert ended(pipeline, make, FULL, 0x78, 1) == "stored"
    assert ended(pipeline, make, broken, 0x79, 2) == "held wrong_layout"
    assert len(see.volumes(store, make.meter())) == 1


# --- several workers -------------------------------------------------------------------------------


def test_what_one_worker_learnt_heals_what_another_holds(store, make, see, clock):
    """Full frames reach the first worker, a compact one the second; only the first one leads upkeep."""
    judges = [Judge(), Judge()]
    workers = [Pipeline(store, judge=judge) for judge in judges]
    upkeeps = [
        Upkeep(store, Replay(store, judge=judge), judge, clock=clock, leads=lambda leads=leads: leads)
        for judge, leads in zip(judges, (True, False), strict=True)
    ]
    assert ended(workers[0], make, FULL, 0x78, 1) == "stored"
    upkeeps[0].round()
    later, latest = (compact_frame(FULL.replace(b"\x18\x1e", one)) for one in (b"\x19\x1e", b"\x1a\x1e"))
    assert ended(workers[1], make, later, 0x79, 2) == "held unknown_layout"
    upkeeps[1].round()
    upkeeps[0].round()
    told = sorted(value for _, value in see.volumes(store, make.meter()))
    assert told == [Decimal("7.704"), Decimal("7.705")]
    assert ended(workers[1], make, latest, 0x79, 3) == "stored"


def test_what_was_told_is_told_once_and_outlives_a_restart(store, make):
    learnt, fresh = Layouts(), Layouts()
    learnt.learn(make.meter(), bytes.fromhex("04134413"))
    with store.writing() as transaction:
        told = exchange(learnt, transaction)
        assert exchange(learnt, transaction) == told
        assert exchange(fresh, transaction) == told
    assert list(fresh.learnt()) == list(learnt.learnt())
