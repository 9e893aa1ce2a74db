"""What every store promises of findings, verdicts, notices and marks of the scan."""

from __future__ import annotations

from dataclasses import replace

import pytest

from metering.errors import InvalidValue
from metering.finding import Finding, Stage, Tier
from metering.findings import WAITS, Feedback, FindingState, Mark, Notice, NoticeState, Verdict, Wanted

METER = "KAM-76348799-1b-16"


def stage(make, at=0, tier=Tier.SUSPECT, name="leak.continuous", **numbers):
    return Stage(tier, name, make.at(at), make.at(at - 3600), evidence={"hours": 3.5, "text": "ż"}, **numbers)


def finding(make, *stages: Stage, cleared=None, subject=METER):
    return Finding(subject, stages or (stage(make),), None if cleared is None else make.at(cleared))


def verdict(make, state, by="anna", reason="valve mended", at=0):
    return Verdict(state, by, reason, make.at(at))


def test_a_finding_is_kept_with_its_stages_and_evidence(store, make):
    one = finding(make, stage(make, 0), stage(make, 9, Tier.NOTIFY, rate_lph=12.5, loss_l=100.0))
    with store.writing() as tx:
        kept, reached = tx.findings.keep(one, make.at(10), tenancy="U-1")
    assert reached is Tier.NOTIFY
    with store.reading() as tx:
        assert tx.findings.finding(kept.id) == kept
        assert kept.finding == one
        assert (kept.state, kept.tenancy, kept.kept_at) == (FindingState.NEW, "U-1", make.at(10))
        assert tx.findings.finding(kept.id + 1) is None


def test_seen_again_a_stage_never_changes_and_a_higher_tier_is_added(store, make):
    first = finding(make, stage(make, 0, rate_lph=5.0))
    again = finding(make, stage(make, 0, rate_lph=99.0), stage(make, 9, Tier.NOTIFY))
    with store.writing() as tx:
        kept, _ = tx.findings.keep(first, make.at(1))
        grown, reached = tx.findings.keep(again, make.at(10))
        _, nothing = tx.findings.keep(again, make.at(11))
    assert reached is Tier.NOTIFY
    assert nothing is None
    with store.reading() as tx:
        stored = tx.findings.finding(kept.id)
    assert stored == grown
    assert [one.tier for one in stored.finding.stages] == [Tier.SUSPECT, Tier.NOTIFY]
    assert stored.finding.stages[0].rate_lph == 5.0
    assert stored.kept_at == make.at(1)


def test_only_one_finding_of_a_class_is_open_for_a_subject(store, make):
    with store.writing() as tx:
        tx.findings.keep(finding(make, stage(make, 0)), make.at(0))
        tx.findings.keep(finding(make, stage(make, 50, name="leak.intermittent")), make.at(51))
        tx.findings.keep(finding(make, stage(make, 50, name="backflow.micro")), make.at(51))
        tx.findings.keep(finding(make, subject="other"), make.at(51))
        found, total = tx.findings.wanted(Wanted(is_open=True, subject=METER))
    assert total == 2
    assert {one.finding.family for one in found} == {"leak", "backflow"}


def test_a_finding_after_a_cleared_one_is_another(store, make):
    with store.writing() as tx:
        old, _ = tx.findings.keep(finding(make, stage(make, 0), cleared=10), make.at(11))
        new, _ = tx.findings.keep(finding(make, stage(make, 9000)), make.at(9001))
        assert [one.id for one in tx.findings.of(METER)] == [new.id, old.id]


def test_what_the_readings_no_longer_show_is_closed_and_says_so(store, make):
    with store.writing() as tx:
        kept, _ = tx.findings.keep(finding(make), make.at(0))
        tx.findings.close(kept.id, make.at(5), {"no_longer_seen": True})
        closed = tx.findings.finding(kept.id).finding
        tx.findings.close(kept.id, make.at(9), {})
        assert tx.findings.finding(kept.id).finding == closed
    assert closed.cleared_at == make.at(5)
    assert closed.outcome == {"no_longer_seen": True}


def test_findings_are_asked_for_by_tier_class_state_and_openness(store, make):
    with store.writing() as tx:
        for at, (tier, name) in enumerate(
            [(Tier.SUSPECT, "leak.a"), (Tier.NOTIFY, "burst.b"), (Tier.DISPATCH, "leak.c")]
        ):
            tx.findings.keep(finding(make, stage(make, at, tier, name), subject=f"M{at}"), make.at(9))
        notify, total = tx.findings.wanted(Wanted(tier=Tier.NOTIFY))
        assert [one.finding.subject for one in notify] == ["M2", "M1"]
        assert total == 2
        assert tx.findings.wanted(Wanted(family="leak"))[1] == 2
        assert tx.findings.wanted(Wanted(state=FindingState.CONFIRMED)) == ([], 0)
        page, total = tx.findings.wanted(Wanted(), offset=1, limit=1)
        assert ([one.finding.subject for one in page], total) == (["M1"], 3)
        assert tx.findings.wanted(Wanted(is_open=False))[1] == 0


def test_verdicts_are_kept_with_name_and_reason_and_teach(store, make):
    with store.writing() as tx:
        number = tx.findings.keep(finding(make), make.at(0))[0].id
        tx.findings.judge(number, verdict(make, FindingState.ACKNOWLEDGED))
        tx.findings.judge(number, verdict(make, FindingState.DISMISSED, reason="garden hose"))
        assert tx.findings.feedback() == {"leak": Feedback(0, 1)}
        tx.findings.judge(number, verdict(make, FindingState.CONFIRMED))
        assert tx.findings.feedback() == {"leak": Feedback(1, 0)}
        assert [one.reason for one in tx.findings.verdicts(number)] == [
            "valve mended", "garden hose", "valve mended",
        ]  # fmt: skip
        with pytest.raises(InvalidValue, match="confirmed and cannot become acknowledged"):
            tx.findings.judge(number, verdict(make, FindingState.ACKNOWLEDGED))
        with pytest.raises(InvalidValue, match="no finding 9999"):
            tx.findings.judge(9999, verdict(make, FindingState.CONFIRMED))


@pytest.mark.parametrize(("by", "reason"), [("", "so"), ("anna", " ")])
def test_a_dismissal_needs_a_name_and_a_reason(make, by, reason):
    with pytest.raises(InvalidValue):
        verdict(make, FindingState.DISMISSED, by, reason)


def test_what_nobody_decided_about_waits_and_is_settled_once(store, make):
    with store.writing() as tx:
        for at, muted in enumerate([WAITS, "budget of the day", "many at once"]):
            tx.findings.keep(
                finding(make, stage(make, at, Tier.NOTIFY), subject=f"M{at}"), make.at(at), muted=muted
            )
        (one,) = tx.findings.waiting(WAITS, 10)
        assert one.finding.subject == "M0"
        assert [kept.finding.subject for kept in tx.findings.waiting("budget of the day", 10)] == ["M1"]
        tx.findings.settle(one.id, muted="", tenancy="U-1")
        assert tx.findings.waiting(WAITS, 10) == []
        settled = tx.findings.finding(one.id)
        assert (settled.muted, settled.tenancy) == ("", "U-1")


def test_evidence_without_a_number_is_kept_as_nothing(store, make):
    open_band = replace(
        stage(make, 0, Tier.NOTIFY), evidence={"band_lph": (64.0, float("inf")), "p": float("nan")}
    )
    with store.writing() as tx:
        number = tx.findings.keep(finding(make, open_band), make.at(0))[0].id
        kept = tx.findings.finding(number)
    assert kept.finding.stages[0].evidence == {"band_lph": [64.0, None], "p": None}


def test_findings_are_found_by_subject_and_by_the_hour_they_were_raised_in(store, make):
    with store.writing() as tx:
        for at in range(3):
            tx.findings.keep(finding(make, stage(make, at, Tier.NOTIFY), subject=f"M{at}"), make.at(at))
        assert [one.finding.subject for one in tx.findings.open_of(["M2", "M0", "M9"])] == ["M0", "M2"]
        family = finding(make).family
        found = tx.findings.raised(family, make.at(1), make.at(3), 10)
        assert [one.finding.subject for one in found] == ["M1", "M2"]
        assert len(tx.findings.raised(family, make.at(0), make.at(3), 1)) == 1


def test_a_notice_is_asked_for_once_and_its_fate_is_booked(store, make):
    with store.writing() as tx:
        number = tx.findings.keep(finding(make), make.at(0))[0].id
        one = Notice("a", "smtp", number, Tier.NOTIFY, NoticeState.WAITING, 0, make.at(0))
        assert tx.findings.ask([one, replace(one, key="b", next_at=make.at(60))]) == 2
        assert tx.findings.ask([one]) == 0
        assert tx.findings.due(make.at(1)) == [one]
        later = replace(one, attempts=1, next_at=make.at(30), error="refused")
        tx.findings.noted(later)
        assert tx.findings.due(make.at(1)) == []
        assert tx.findings.due(make.at(60)) == [later, replace(one, key="b", next_at=make.at(60))]
        tx.findings.noted(replace(later, state=NoticeState.SENT))
        assert [notice.state for notice in tx.findings.notices(number)] == [
            NoticeState.SENT, NoticeState.WAITING,
        ]  # fmt: skip


def test_marks_of_the_scan_are_remembered(store, make):
    mark = Mark("1", 900, make.at(0), make.at(5), "9f3a")
    with store.writing() as tx:
        assert tx.findings.marks([METER]) == {}
        tx.findings.set_marks({METER: replace(mark, readings=1)})
        tx.findings.set_marks({METER: mark})
        assert tx.findings.marks([METER, "another"]) == {METER: mark}
