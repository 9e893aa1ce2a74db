// Milesight EM300-DI on port 85: channel, type, data; again and again. Numbers are little-endian.
const SIZES = { "0175": 1, "0367": 2, "0468": 1, "0500": 1, "05c8": 4, "20ce": 13 };

function unsigned(bytes, at, size) {
  let value = 0;
  for (let place = size - 1; place >= 0; place -= 1) value = value * 256 + bytes[at + place];
  return value;
}

function signed16(bytes, at) {
  const value = unsigned(bytes, at, 2);
  return value < 0x8000 ? value : value - 0x10000;
}

function hex(bytes, at, size) {
  return Array.from(bytes.slice(at, at + size), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const READERS = {
  "0175": (bytes, at) => ({ battery_percent: bytes[at] }),
  "0367": (bytes, at) => ({ temperature_c: signed16(bytes, at) / 10 }),
  "0468": (bytes, at) => ({ humidity_percent: bytes[at] / 2 }),
  "0500": (bytes, at) => ({ level: bytes[at] }),
  "05c8": (bytes, at) => ({ pulses: unsigned(bytes, at, 4) }),
};

function decodeUplink(input) {
  if (input.fPort !== 85) return { errors: ["port " + input.fPort + ": expected 85"] };
  const bytes = input.bytes;
  const data = {};
  const history = [];
  for (let at = 0; at < bytes.length; ) {
    const kind = hex(bytes, at, 2);
    const from = at + 2;
    const end = from + (SIZES[kind] || 0);
    if (!SIZES[kind] || end > bytes.length) return { errors: ["no known field at byte " + at] };
    if (kind === "20ce") history.push({ time: unsigned(bytes, from, 4), pulses: unsigned(bytes, end - 4, 4) });
    else Object.assign(data, READERS[kind](bytes, from));
    at = end;
  }
  return { data: history.length ? { ...data, history } : data };
}
