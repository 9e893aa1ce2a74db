"""Kamstrup KEM files, made here after the manufacturer's description: opened, understood, or refused."""

from __future__ import annotations

import io
import zipfile
from base64 import b64encode
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES128
from cryptography.hazmat.primitives.ciphers.modes import CBC
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from metering.clock import SystemClock
from metering.errors import ImportRefused
from metering.meter import Meter, MeterId
from metering.store import SqlStore, create_master_key, load_master_key, upgrade
from service.cli import app
from service.imports.kem import identified, read_kem
from service.imports.kem_container import is_kem

PASSWORD = "Wodnik-2026"
KEYS = [bytes(range(start, start + 16)) for start in (0x10, 0x20, 0x30)]
SERIALS = ["76348799", "76348800", "00000042"]


def listed(*meters: tuple[str, str], wrap: str = "MetersInOrder", one: str = "Meter") -> str:
    rows = "".join(
        f"<{one}><MeterType>MULTICAL21</MeterType><MeterNo>{serial}</MeterNo><SerialNo>{serial}</SerialNo>"
        f"<VendorId>KAM</VendorId><ConsumptionType>Cold water</ConsumptionType><DEK>{key}</DEK></{one}>"
        for serial, key in meters
    )
    return f'<?xml version="1.0" encoding="utf-8"?><{wrap} orderid="1" schemaVersion="2.0">{rows}</{wrap}>'


def encrypted(text: str | bytes, password: str = PASSWORD, *, vector: bytes | None = None) -> bytes:
    """An XML file as the service gives it; with ``vector`` as W3C has it."""
    key = password.encode().ljust(16, b"\0")
    plain = text.encode() if isinstance(text, str) else text
    padding = 16 - len(plain) % 16
    plain += bytes(padding - 1) + bytes([padding])
    encryptor = Cipher(AES128(key), CBC(vector or key)).encryptor()
    cipher = (vector or b"") + encryptor.update(plain) + encryptor.finalize()
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<EncryptedData Type="http://www.w3.org/2001/04/xmlenc#aes128-cbc"'
        ' xmlns="http://www.w3.org/2001/04/xmlenc#">'
        '<EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc" />'
        f"<CipherData><CipherValue>{b64encode(cipher).decode()}</CipherValue></CipherData></EncryptedData>"
    ).encode()


def zipped(*files: tuple[str, bytes]) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return raw.getvalue()


ALL = listed(*((serial, key.hex().upper()) for serial, key in zip(SERIALS, KEYS, strict=True)))


def refusal(raw: bytes, password: str = PASSWORD) -> list[str]:
    with pytest.raises(ImportRefused) as told:
        read_kem(raw, "order.kem", password)
    return [str(fault) for fault in told.value.faults]


@pytest.mark.parametrize(
    "raw",
    [
        encrypted(ALL),
        encrypted("\ufeff" + ALL),
        encrypted(ALL, vector=bytes(range(100, 116))),
        zipped(("363A.kem", encrypted(ALL)), ("meter_information_file.xsd", b"<xsd/>")),
        encrypted(ALL.replace("MetersInOrder", "DevicesInOrder").replace("Meter>", "Device>")),
    ],
    ids=["plain", "byte order mark", "vector first", "zip", "devices"],
)
def test_every_form_gives_serials_and_keys(raw):
    assert is_kem(raw)
    meters = read_kem(raw, "order.kem", PASSWORD)
    assert [(one.maker, one.serial, one.key) for one in meters] == [
        ("KAM", serial, key) for serial, key in zip(SERIALS, KEYS, strict=True)
    ]
    assert KEYS[0].hex() not in repr(meters)


def test_a_table_is_no_kem_file():
    assert not is_kem(b"meter_id,key\nKAM-76348799-1b-16,00\n")


def test_a_wrong_password_is_told_as_such():
    for password in ("wodnik-2026", "x", "Wodnik-2026 "):
        assert refusal(encrypted(ALL), password) == ["row 1: the password does not open it, or it is damaged"]
    assert refusal(encrypted(ALL), "") == ["row 1: the password is 0 bytes long; it has 1 to 16"]
    assert refusal(encrypted(ALL), "seventeen letters") == [
        "row 1: the password is 17 bytes long; it has 1 to 16"
    ]


def test_every_fault_is_told_with_the_place_of_its_meter_and_no_key():
    good, other = KEYS[0].hex(), KEYS[1].hex()
    text = listed(("76348799", good), ("76348800", good[:30]), ("A1", good), ("76348799", other), ("7", ""))
    said = refusal(encrypted(text))
    assert said == [
        "row 2, column DEK: 30 signs where a key has 32 hexadecimal digits",
        "row 3, column SerialNo: 'A1' is not a serial number of up to 8 digits",
        "row 4, column DEK: another key than that of the same meter in place 1",
        "row 5, column DEK: missing: this meter has no key in the file",
    ]
    assert good[:8] not in "".join(said)


def test_the_same_meter_twice_with_the_same_key_is_one():
    text = listed(("76348799", KEYS[0].hex()), ("76348799", KEYS[0].hex()))
    assert len(read_kem(encrypted(text), "order.kem", PASSWORD)) == 1


ENTITIES = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "b"><!ENTITY c "&a;&a;">]><a>&c;</a>'
OUTSIDE = '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>'


@pytest.mark.parametrize(
    "raw",
    [
        ENTITIES.encode(),
        OUTSIDE.encode(),
        encrypted(ENTITIES),
        encrypted(OUTSIDE),
        encrypted("<a>" * 50 + "</a>" * 50),
        b"<a/>",
        b"<EncryptedData><CipherValue>!!</CipherValue></EncryptedData>",
        b"<EncryptedData><CipherValue>AAAA</CipherValue></EncryptedData>",
        encrypted(ALL).replace(b'#aes128-cbc" />', b'#aes256-cbc" />'),
        encrypted(listed()),
        zipped(("a.txt", b"x")),
        zipped(("a.kem", encrypted(ALL)), ("b.kem", encrypted(ALL))),
        zipped(("a.kem", encrypted(ALL)))[:-30],
        b"PK\x03\x04",
    ],
)
def test_what_is_no_kem_file_is_refused_in_one_sentence(raw):
    (said,) = refusal(raw)
    assert said.startswith("row 1: ")


def test_a_zip_bomb_is_refused_before_it_is_unpacked():
    assert "larger than 32 MB when unpacked" in refusal(zipped(("a.kem", b"<" + bytes(40 << 20))))[0]


@given(st.integers(0, len(encrypted(ALL)) - 1), st.binary(min_size=1, max_size=8))
@settings(max_examples=150, deadline=None)
def test_a_damaged_file_is_read_or_refused_never_more(at, bytes_):
    raw = encrypted(ALL)
    raw = raw[:at] + bytes_ + raw[at + len(bytes_) :]
    meters = []
    with suppress(ImportRefused):
        meters = read_kem(raw, "order.kem", PASSWORD)
    assert all(len(meter.key) == 16 for meter in meters)


def test_keys_go_to_every_known_meter_of_the_number_and_to_no_other():
    meters = read_kem(encrypted(listed(("76348799", KEYS[0].hex()))), "order.kem", PASSWORD)
    known = [
        MeterId.parse(text) for text in ("KAM-76348799-1b-16", "KAM-76348799-2b-16", "KAM-76348800-1b-16")
    ]
    rows = identified(meters, [*known, MeterId.parse("SEN-76348799-68-07")], "", "order.kem")
    assert [(row.meter, row.key) for row in rows] == [(known[0], KEYS[0]), (known[1], KEYS[0])]


def test_meters_nobody_knows_are_faults_unless_their_version_and_type_are_told():
    meters = read_kem(encrypted(ALL), "order.kem", PASSWORD)
    with pytest.raises(ImportRefused) as told:
        identified(meters, [MeterId.parse("KAM-76348799-1b-16")], "", "order.kem")
    assert [fault.row for fault in told.value.faults] == [2, 3]
    rows = identified(meters, [], "1b-16", "order.kem")
    assert [str(row.meter) for row in rows] == [f"KAM-{serial}-1b-16" for serial in SERIALS]
    with pytest.raises(ImportRefused, match="nothing imported, 3 fault"):
        identified(meters, [], "water", "order.kem")


@pytest.fixture
def deployment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    url = f"sqlite:///{tmp_path}/data/nurt.db"
    upgrade(url)
    create_master_key(tmp_path / "data" / "master.key")
    store = SqlStore(url, SystemClock())
    with store.writing() as tx:
        tx.registry.put_meters([Meter(MeterId.parse(f"KAM-{serial}-1b-16")) for serial in SERIALS])
    store.close()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kem.password").write_text(f"{PASSWORD}\n")
    return tmp_path


def run(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == code, done.output
    return done.output


def stored(folder: Path) -> dict[str, list[bytes]]:
    key = folder / "data" / "master.key"
    store = SqlStore(f"sqlite:///{folder}/data/nurt.db", SystemClock(), lambda: load_master_key(key))
    ids = [MeterId.parse(f"KAM-{serial}-1b-16") for serial in SERIALS]
    with store.reading() as view:
        found = {str(meter): list(keys) for meter, keys in view.keyring.keys(ids).items()}
    store.close()
    return found


def test_the_command_stores_all_keys_of_a_file(deployment):
    (deployment / "order.zip.kem").write_bytes(zipped(("363A.kem", encrypted(ALL))))
    wanted = ("keys", "import", "order.zip.kem", "--password-file", "kem.password")
    assert "3 new, 0 known already (dry run" in run(*wanted, "--dry-run")
    assert stored(deployment) == {}
    assert "3 new, 0 known already" in run(*wanted)
    assert "0 new, 3 known already" in run(*wanted)
    assert stored(deployment) == {
        f"KAM-{serial}-1b-16": [key] for serial, key in zip(SERIALS, KEYS, strict=True)
    }


def test_the_command_stores_nothing_of_a_file_with_a_fault(deployment):
    text = listed((SERIALS[0], KEYS[0].hex()), ("99999999", KEYS[1].hex()))
    (deployment / "order.kem").write_bytes(encrypted(text))
    done = CliRunner().invoke(app, ["keys", "import", "order.kem", "--password-file", "kem.password"])
    assert isinstance(done.exception, ImportRefused)
    assert [fault.row for fault in done.exception.faults] == [2]
    assert stored(deployment) == {}


def test_without_a_terminal_the_password_file_has_to_be_named(deployment):
    (deployment / "order.kem").write_bytes(encrypted(ALL))
    done = CliRunner().invoke(app, ["keys", "import", "order.kem"])
    assert "--password-file" in str(done.exception)
