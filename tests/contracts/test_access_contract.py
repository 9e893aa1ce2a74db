"""What every store promises of looks and consents."""

from __future__ import annotations

from dataclasses import replace

from metering.access import HOURLY, Consent, Look


def consent(make, *, given: bool, at: float = 0, contract: str = "U-1") -> Consent:
    return Consent(contract, HOURLY, given, make.at(at), "page", "1")


def test_the_last_word_on_a_consent_counts_and_all_are_kept(store, make):
    with store.writing() as tx:
        assert not tx.access.agreed("U-1", HOURLY)
        for at, given in enumerate((True, False, True)):
            tx.access.add_consent(consent(make, given=given, at=at))
        tx.access.add_consent(consent(make, given=False, contract="U-2"))
    with store.reading() as tx:
        assert tx.access.agreed("U-1", HOURLY)
        assert not tx.access.agreed("U-1", "other")
        assert not tx.access.agreed("U-2", HOURLY)
        assert [one.given for one in tx.access.consents("U-1")] == [True, False, True]


def test_looks_are_kept_newest_first_and_go_by_age(store, make):
    look = Look("U-1", "SP ż", make.at(0), "ebok", "page", make.at(-9), make.at(9), "day")
    with store.writing() as tx:
        for at in range(3):
            tx.access.add_look(replace(look, at=make.at(at)))
        tx.access.add_look(replace(look, contract="U-2"))
    with store.writing() as tx:
        assert [one.at for one in tx.access.looks("U-1", limit=2)] == [make.at(2), make.at(1)]
        assert tx.access.looks("U-1")[2] == look
        assert tx.access.forget_looks(make.at(1)) == 2
        assert len(tx.access.looks("U-1")) == 2
        assert tx.access.looks("U-2") == []
