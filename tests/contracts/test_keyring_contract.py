"""What every keyring promises."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from metering.errors import KeyringError
from metering.store import SqlStore
from metering.store.master_key import MasterKey
from metering.store.sql.masters import Masters
from metering.store.sql.schema import meter_keys

KEY = bytes.fromhex("000102030405060708090a0b0c0d0e0f")
LATER = bytes.fromhex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")


def _under(store, master):
    """The same database, opened with another master key."""
    again = SqlStore.__new__(SqlStore)
    again.__dict__.update(store.__dict__, _masters=Masters(master))
    return again


def test_keys_come_back_newest_first_and_once(store, make):
    with store.writing() as tx:
        assert tx.keyring.put([(make.meter, KEY), (make.meter, KEY), (make.other, KEY)]) == 2
        assert tx.keyring.put([(make.meter, LATER), (make.meter, KEY)]) == 1
        assert tx.keyring.put([]) == 0
    with store.reading() as tx:
        found = tx.keyring.keys([make.meter, make.other, type(make.meter)("ABC", "1", "2", "3")])
        assert {meter: list(keys) for meter, keys in found.items()} == {
            make.meter: [LATER, KEY],
            make.other: [KEY],
        }
        assert tx.keyring.have_keys([make.meter, type(make.meter)("ABC", "1", "2", "3")]) == {make.meter}
        tx.keyring.check()


def test_no_key_is_stored_readable(store, make):
    with store.writing() as tx:
        tx.keyring.put([(make.meter, KEY), (make.other, KEY)])
    with store.database.transaction(write=False) as connection:
        sealed = connection.scalars(sa.select(meter_keys.c.sealed)).all()
    assert len(set(sealed)) == 2
    assert not any(KEY in one for one in sealed)


def test_without_keys_no_master_key_is_asked_for(store, make):
    def never():
        pytest.fail("nobody needs the master key")

    with _under(store, never).reading() as tx:
        assert dict(tx.keyring.keys([make.meter])) == {}
        assert tx.keyring.have_keys([make.meter]) == set()
        tx.keyring.check()


def test_another_master_key_is_told_as_such(store, make):
    with store.writing() as tx:
        tx.keyring.put([(make.meter, KEY)])
    wrong = _under(store, lambda: bytes(32))
    for use in (
        lambda keyring: keyring.keys([make.meter]),
        lambda keyring: keyring.put([(make.other, KEY)]),
        lambda keyring: keyring.check(),
    ):
        with pytest.raises(KeyringError, match="not the master key"), wrong.writing() as tx:
            use(tx.keyring)
    with store.reading() as tx:
        assert tx.keyring.have_keys([make.other]) == set()


def test_a_missing_master_key_is_told_as_such(store, make):
    with store.writing() as tx:
        tx.keyring.put([(make.meter, KEY)])
    for use in (lambda keyring: keyring.keys([make.meter]), lambda keyring: keyring.check()):
        with pytest.raises(KeyringError, match="no master key"), _under(store, None).reading() as tx:
            use(tx.keyring)


def test_a_sealed_key_does_not_open_for_another_meter(store, make):
    """Somebody with the database but not the master key cannot hand a meter another one's key."""
    with store.writing() as tx:
        tx.keyring.put([(make.meter, KEY), (make.other, LATER)])
    with store.database.transaction(write=True) as connection:
        first = connection.scalar(sa.select(sa.func.min(meter_keys.c.id)))
        moved = sa.select(meter_keys.c.sealed).where(meter_keys.c.id != first).scalar_subquery()
        connection.execute(sa.update(meter_keys).where(meter_keys.c.id == first).values(sealed=moved))
    with store.reading() as tx, pytest.raises(KeyringError, match="altered or belongs to another") as told:
        tx.keyring.keys([make.meter])
    assert KEY.hex() not in str(told.value)


def test_the_check_value_does_not_tell_the_key(make):
    key = bytes(range(32))
    master = MasterKey(key)
    assert key not in master.check_value
    assert master.check_value not in master.seal(make.meter, KEY)
    assert str(key) not in repr(master)
