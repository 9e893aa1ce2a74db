// Adeunis Pulse, data frame of channel A: 5a, status, counter (4 bytes, high byte first), steps back in time.
function decodeUplink(input) {
  const bytes = input.bytes;
  if (bytes[0] !== 0x5a) return { errors: ["not a data frame of channel A"] };
  if (bytes.length < 6 || bytes.length % 2) return { errors: ["a data frame has an even size from 6 on"] };
  const counter = ((bytes[2] * 256 + bytes[3]) * 256 + bytes[4]) * 256 + bytes[5];
  return { data: { pulses: counter, low_battery: Boolean(bytes[1] & 2) } };
}
