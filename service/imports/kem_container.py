"""A Kamstrup KEM file opened: zip, XML encryption, the list of meters in it. Nothing touches the disk.

As the manufacturer's guide to its Encryption Key Service says (55123205, how to decrypt a KEM or KEM2 file):
a ``.zip.kem`` or ``.zip.kem2`` is a zip archive with an XML file ``*.kem`` in it, and that is XML encryption
(W3C xmlenc, aes128-cbc). The password, with zero bytes behind it up to 16, is the key, and the initialization
vector as well; a file with the vector before the text, as W3C has it, is read too. The signature of a KEM2
file is not checked here: whether the file is genuine is for whoever downloads it.

The XML is read by expat with no document type allowed, hence no entities, and every size has a bound.
"""

from __future__ import annotations

import binascii
import io
import zipfile
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES128
from cryptography.hazmat.primitives.ciphers.modes import CBC

from metering.errors import ImportRefused, RowFault

__all__ = ["Element", "is_kem", "open_kem"]

_BLOCK = 16
_MOST_BYTES = 32 << 20
"""A meter takes some 500 bytes: sixty thousand of them."""

_MOST_ELEMENTS = 1_000_000

_MOST_FILES = 20
_DEEPEST = 12
_ZIP = b"PK\x03\x04"
_BOM = b"\xef\xbb\xbf"
_CLOSED = "the password does not open it, or it is damaged"
_AES128 = "http://www.w3.org/2001/04/xmlenc#aes128-cbc"


@dataclass(slots=True)
class Element:
    """An element of the XML: its local name, attributes, text and children."""

    name: str
    attributes: Mapping[str, str]
    text: str = field(default="", repr=False)
    children: list[Element] = field(default_factory=list)

    def find(self, name: str) -> Element | None:
        """Give the first element of a name in or below this one."""
        if self.name == name:
            return self
        return next((found for child in self.children if (found := child.find(name))), None)


def is_kem(raw: bytes) -> bool:
    """Whether this is a KEM file, packed or not, and no table."""
    return raw.startswith(_ZIP) or raw.removeprefix(_BOM).lstrip().startswith(b"<")


def open_kem(raw: bytes, source: str, password: str) -> Element:
    """Unpack and decrypt a file; gives the root of the XML in it.

    Raises:
        ImportRefused: no KEM file, or the password is not its own. Says nothing of what is in it.
    """
    if len(raw) > _MOST_BYTES:
        raise _refused(source, f"larger than {_MOST_BYTES >> 20} MB; no such file is")
    outer = _parsed(_unpacked(raw, source), source, "this is no KEM file")
    encrypted = outer.find("EncryptedData")
    value = encrypted.find("CipherValue") if encrypted else None
    if encrypted is None or value is None:
        raise _refused(source, "this is no KEM file: there is no EncryptedData with a CipherValue in it")
    method = encrypted.find("EncryptionMethod")
    if method is not None and method.attributes.get("Algorithm", _AES128) != _AES128:
        raise _refused(source, "it is encrypted otherwise than KEM files are (aes128-cbc)")
    text = _decrypted(_cipher(value.text, source), _key(password, source))
    if text is None:
        raise _refused(source, _CLOSED)
    return _parsed(text, source, _CLOSED)


def _unpacked(raw: bytes, source: str) -> bytes:
    """Take the one ``*.kem`` out of a zip archive."""
    if not raw.startswith(_ZIP):
        return raw
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            names = [one for one in archive.infolist() if one.filename.lower().endswith((".kem", ".kem2"))]
            if len(names) != 1 or len(archive.infolist()) > _MOST_FILES:
                raise _refused(source, f"{len(names)} *.kem files in the archive where one should be")
            if names[0].flag_bits & 1:
                raise _refused(source, "the archive itself has a password; unpack it first")
            with archive.open(names[0]) as packed:
                text = packed.read(_MOST_BYTES + 1)
    except (zipfile.BadZipFile, NotImplementedError, OSError, EOFError, ValueError) as wrong:
        raise _refused(source, "the archive is damaged") from wrong
    if len(text) > _MOST_BYTES:
        raise _refused(source, f"larger than {_MOST_BYTES >> 20} MB when unpacked; no such file is")
    return text


def _key(password: str, source: str) -> bytes:
    said = password.encode()
    if not 0 < len(said) <= _BLOCK:
        raise _refused(source, f"the password is {len(said)} bytes long; it has 1 to {_BLOCK}")
    return said.ljust(_BLOCK, b"\0")


def _cipher(text: str, source: str) -> bytes:
    try:
        cipher = b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        cipher = b""
    if not cipher or len(cipher) % _BLOCK:
        raise _refused(source, "its CipherValue is damaged: no whole blocks in Base64")
    return cipher


def _decrypted(cipher: bytes, key: bytes) -> bytes | None:
    """Give the text, without the padding behind its last element; ``None`` if there is none."""
    decryptor = Cipher(AES128(key), CBC(key)).decryptor()
    plain = decryptor.update(cipher) + decryptor.finalize()
    for start in (0, _BLOCK):  # the first block is the vector where it is written as W3C has it
        text = plain[start:].removeprefix(_BOM).lstrip()
        if text.startswith(b"<") and b">" in text:
            return text[: text.rindex(b">") + 1]
    return None


def _parsed(text: bytes, source: str, otherwise: str) -> Element:
    reader = _Reader()
    try:
        reader.read(text)
    except (expat.ExpatError, _NotAllowedError, ValueError, LookupError):
        raise _refused(source, otherwise) from None
    return reader.root


class _NotAllowedError(Exception):
    """A document type, entities, or more or deeper elements than any list of meters has."""


class _Reader:
    """Builds elements from expat's events."""

    def __init__(self) -> None:
        self._open: list[Element] = [Element("", {})]
        self._elements = 0
        parser = self._parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse

    @property
    def root(self) -> Element:
        return self._open[0].children[0]

    def read(self, text: bytes) -> None:
        self._parser.Parse(text, True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if len(self._open) > _DEEPEST or self._elements > _MOST_ELEMENTS:
            raise _NotAllowedError
        element = Element(name.rpartition(" ")[2], attributes)
        self._open[-1].children.append(element)
        self._open.append(element)

    def _end(self, _name: str) -> None:
        self._open.pop()

    def _text(self, text: str) -> None:
        self._open[-1].text += text

    def _refuse(self, *_said: object) -> None:
        raise _NotAllowedError


def _refused(source: str, sentence: str) -> ImportRefused:
    return ImportRefused(source, [RowFault(1, None, sentence)])
