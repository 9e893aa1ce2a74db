// Axioma QALCOSONIC W1, hourly format: 01, time, status, volume in litres, 23 steps of 14 bits, 6 bits that
// multiply. The sum of volume and steps is the index now.
function littleEndian(bytes, at, size) {
  let value = 0;
  for (let place = size - 1; place >= 0; place -= 1) value = value * 256 + bytes[at + place];
  return value;
}

function bits(bytes, from, count) {
  let value = 0;
  for (let place = count - 1; place >= 0; place -= 1) {
    const at = from + place;
    value = value * 2 + ((bytes[at >> 3] >> (at & 7)) & 1);
  }
  return value;
}

function decodeUplink(input) {
  const bytes = input.bytes;
  if (input.fPort !== 100 || bytes.length !== 51) return { errors: ["expected 51 bytes on port 100"] };
  if (bytes[0] !== 1) return { errors: ["format version " + bytes[0] + ": expected 1"] };
  const volume = littleEndian(bytes, 6, 4);
  if (volume === 0xffffffff) return { errors: ["the meter says it has no volume"] };
  const packed = bytes.slice(10);
  if (bits(packed, 23 * 14, 6) > 1) return { errors: ["steps are multiplied: not known"] };
  let total = volume;
  for (let step = 0; step < 23; step += 1) total += bits(packed, step * 14, 14);
  return { data: { total_l: total, status: bytes[5] } };
}
