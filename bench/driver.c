// Loops that call a program many times from native code, so that nothing else is measured. The
// function pointers are volatile: no call may be moved out of its loop.
#include <stdint.h>
#include <string.h>

typedef uint64_t (*native)(const uint8_t *data, uint64_t length);
typedef uint64_t (*compiled)(void *cpu, uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4,
			     uint64_t r5);

enum { HEADROOM = 256 };

uint64_t call_native(native program, const uint8_t *data, uint64_t length, uint64_t times)
{
	native volatile call = program;
	uint64_t sum = 0;

	for (uint64_t i = 0; i < times; i++)
		sum += (uint32_t)call(data, length);
	return sum;
}

uint64_t call_compiled(compiled program, void *cpu, uint64_t context, uint64_t times)
{
	compiled volatile call = program;
	const uint64_t *packet = (const uint64_t *)context;
	uint64_t data = packet[0], end = packet[1], sum = 0;

	for (uint64_t i = 0; i < times; i++)
		sum += (uint32_t)call(cpu, context, data, end, 0, 0);
	return sum;
}

// Over many packets, where they are.
void call_packets(native program, const uint8_t *data, const uint64_t *offsets,
		  const uint32_t *lengths, uint64_t count, uint32_t *verdicts)
{
	native volatile call = program;

	for (uint64_t i = 0; i < count; i++)
		verdicts[i] = (uint32_t)call(data + offsets[i], lengths[i]);
}

// The same after placing each in a frame, as drivers and BPF_PROG_TEST_RUN do.
void call_frames(native program, const uint8_t *data, const uint64_t *offsets,
		 const uint32_t *lengths, uint64_t count, uint32_t *verdicts, uint8_t *frame)
{
	native volatile call = program;

	for (uint64_t i = 0; i < count; i++) {
		memcpy(frame + HEADROOM, data + offsets[i], lengths[i]);
		verdicts[i] = (uint32_t)call(frame + HEADROOM, lengths[i]);
	}
}
