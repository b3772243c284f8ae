// The machine's hash map in C: the lookup of src/ebee/maps/hash_ops.py, over the same memory.
//
// Buckets are words: the number of the first record, or 0, or END and the bucket's own number; the
// bit LOCKED is for writers. A record begins with the number of the next one and its hash. What is
// constant for a map (the sizes, places and the mask) is constant here as well (-DKEY_SIZE=... and
// so on), and this file is included into the program, so the compiler knows all that ebee knows.
#include <stdint.h>
#include <string.h>

#define LOCKED (1u << 31)
#define END    (1u << 30)

struct map {
	const uint32_t *buckets;
	uint8_t *records;
	uint64_t seed;
};

struct map flows;
void *native_map = &flows;

// Both halves of the product: native.mulfold.
static inline uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)(product >> 64) ^ (uint64_t)product;
}

// As two halves, so that it does not have to wait for stores of 4 bytes: hash_function.py, word.
static inline uint64_t word(const uint8_t *p)
{
	uint32_t halves[2];

	memcpy(&halves[0], p, 4);
	memcpy(&halves[1], p + 4, 4);
	return (uint64_t)halves[1] << 32 | halves[0];
}

static inline uint32_t hash(const uint8_t *key, uint64_t seed)
{
	uint64_t h = seed;

	_Static_assert(KEY_SIZE % 8 == 0 && KEY_SIZE >= 8, "whole words");
	for (uint32_t i = 0; i < KEY_SIZE; i += 8)
		h = fold(h ^ word(key + i), 0x9E3779B97F4A7C15u);
	return (uint32_t)h;
}

// hash_function.py, same_key: the first and the last word of `b` are in registers.
static inline int same_key(const uint8_t *a, const uint8_t *b, uint64_t first, uint64_t last)
{
	if (word(a) != first || word(a + KEY_SIZE - 8) != last)
		return 0;
	return KEY_SIZE <= 16 || !memcmp(a + 8, b + 8, KEY_SIZE - 16);
}

static inline uint32_t word_at(const void *p)
{
	return __atomic_load_n((const uint32_t *)p, __ATOMIC_ACQUIRE);
}

void *native_map_lookup(void *map, const void *key)
{
	const struct map *m = map;
	uint64_t first = word(key), last = word((const uint8_t *)key + KEY_SIZE - 8);
	uint32_t h = hash(key, m->seed), link = word_at(m->buckets + (h & MASK));

	for (;;) {
		while (link && link < END) {
			uint8_t *record = m->records + (uint64_t)link * RECORD_SIZE;

			if (((uint32_t *)record)[1] == h && same_key(record + KEY_AT, key, first, last))
				return record + VALUE_AT;
			link = word_at(record);
		}
		if (link & LOCKED) { // a bucket that a writer holds
			link &= ~LOCKED;
		} else if (!link || !((link ^ h) & MASK)) {
			return 0;
		} else { // begin anew, which is rare: no register need be kept for the bucket
			__asm__("" : "+r"(h));
			link = word_at(m->buckets + (h & MASK));
		}
	}
}
