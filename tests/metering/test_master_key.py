"""The master key file: made once, readable by its owner only, and what is sealed under it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering.errors import KeyringError
from metering.meter import MeterId
from metering.store import create_master_key, load_master_key
from metering.store.master_key import MasterKey

METER = MeterId.parse("KAM-76348799-1b-16")
OTHER = MeterId.parse("KAM-76348800-1b-16")


def test_a_new_master_key_is_32_bytes_for_its_owner_only(tmp_path):
    """Whatever the umask says."""
    path = tmp_path / "keys" / "master.key"
    before = os.umask(0)
    try:
        create_master_key(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_master_key(path) == path.read_bytes()
    assert len(load_master_key(path)) == 32
    assert load_master_key(path) != bytes(32)


def test_two_master_keys_differ(tmp_path):
    for name in ("a", "b"):
        create_master_key(tmp_path / name)
    assert load_master_key(tmp_path / "a") != load_master_key(tmp_path / "b")


def test_a_master_key_is_never_overwritten(tmp_path):
    path = tmp_path / "master.key"
    create_master_key(path)
    key = path.read_bytes()
    with pytest.raises(KeyringError, match="exists already and was not touched"):
        create_master_key(path)
    assert path.read_bytes() == key


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610])
def test_a_key_others_may_open_is_refused_with_what_to_do(tmp_path, mode):
    path = tmp_path / "master.key"
    create_master_key(path)
    path.chmod(mode)
    with pytest.raises(KeyringError, match=f"mode {mode:04o}.*chmod 600"):
        load_master_key(path)


@pytest.mark.parametrize("size", [0, 31, 33, 4096])
def test_a_file_of_another_size_is_no_master_key(tmp_path, size):
    path = tmp_path / "master.key"
    path.touch(0o600)
    path.write_bytes(b"k" * size)
    with pytest.raises(KeyringError, match="32 bytes") as told:
        load_master_key(path)
    assert "kk" not in str(told.value)


def test_a_missing_or_impossible_file_is_told(tmp_path):
    with pytest.raises(KeyringError, match="cannot be read: No such file"):
        load_master_key(tmp_path / "nothing")
    (tmp_path / "file").touch()
    with pytest.raises(KeyringError, match="no master key can be made"):
        create_master_key(Path(tmp_path / "file" / "below"))


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=64))
def test_what_is_sealed_opens_with_the_same_key_for_the_same_meter_only(secret, key):
    master = MasterKey(secret)
    sealed = master.seal(METER, key)
    assert MasterKey(secret).open(METER, sealed) == key
    with pytest.raises(KeyringError):
        master.open(OTHER, sealed)
    with pytest.raises(KeyringError):
        MasterKey(secret[::-1] + b"x" if secret == secret[::-1] else secret[::-1]).open(METER, sealed)


@given(st.integers(0, 43), st.integers(1, 255))
def test_one_changed_bit_is_noticed(place, change):
    """Nonce, ciphertext or tag: an altered key is refused, not used."""
    master = MasterKey(bytes(32))
    sealed = bytearray(master.seal(METER, bytes(16)))
    sealed[place] ^= change
    with pytest.raises(KeyringError, match="altered"):
        master.open(METER, bytes(sealed))


@given(st.binary(max_size=40))
def test_any_bytes_open_or_are_refused(sealed):
    with pytest.raises(KeyringError):
        MasterKey(bytes(32)).open(METER, sealed)


def test_sealing_twice_gives_different_bytes():
    master = MasterKey(bytes(32))
    assert master.seal(METER, bytes(16)) != master.seal(METER, bytes(16))


def test_a_check_value_fits_its_master_key_only():
    one, other = MasterKey(bytes(32)), MasterKey(b"x" * 32)
    assert one.fits(MasterKey(bytes(32)).check_value)
    assert not one.fits(other.check_value)
    with pytest.raises(KeyringError, match="32 bytes, not 16"):
        MasterKey(bytes(16))
