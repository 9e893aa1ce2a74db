"""What is handed over is canonical JSON, and what is kept opens again as it was, whatever rules said."""

from __future__ import annotations

from dataclasses import replace

import orjson
from billing_payloads import NOW, reads
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_bridge.quality import Cim, Espi
from billing_bridge.record import kept, opened
from billing_bridge.validate import Outcome, Severity, Verdict
from metering.billing import ReadState

READ = reads(1)[0]

outcomes = st.builds(
    Outcome,
    rule=st.sampled_from(["R1", "R9", "I5"]),
    verdict=st.sampled_from(Verdict),
    severity=st.none() | st.sampled_from(Severity),
    sentence=st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    cim=st.none() | st.sampled_from(Cim),
    espi=st.none() | st.sampled_from(Espi),
    evidence=st.dictionaries(st.sampled_from(["volume_m3", "at"]), st.sampled_from(["1", "2"])),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(outcomes, max_size=5))
def test_a_payload_has_its_keys_in_order_at_every_depth_and_says_each_outcome(said):
    told = replace(READ, outcomes=tuple(said)).payload()
    read = orjson.loads(told)
    assert orjson.dumps(read, option=orjson.OPT_SORT_KEYS) == told
    assert [(one["rule"], one["sentence"], one["evidence"]) for one in read["rules"]] == [
        (one.rule, one.sentence, one.evidence) for one in said
    ]


@settings(max_examples=100, deadline=None)
@given(st.lists(outcomes, max_size=5))
def test_what_is_kept_opens_again_as_it_was(said):
    read = replace(READ, outcomes=tuple(said))
    assert opened(kept(read, ReadState.BILLED, contract=None, now=NOW, by="nurt")) == read
