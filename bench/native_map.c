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

// Both halves of the product: hash_function.py, fold.
static inline uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)(product >> 64) ^ (uint64_t)product;
}

static inline uint32_t hash(const uint8_t *key, uint64_t seed)
{
	uint64_t h = seed ^ KEY_SIZE * 0xD6E8FEB86659FD93u, word;

	_Static_assert(KEY_SIZE % 8 == 0, "whole words");
	for (uint32_t i = 0; i < KEY_SIZE; i += 8) {
		memcpy(&word, key + i, 8);
		h = fold(h ^ word, 0x9E3779B97F4A7C15u);
	}
	return (uint32_t)h;
}

static inline uint32_t word_at(const void *p)
{
	return __atomic_load_n((const uint32_t *)p, __ATOMIC_ACQUIRE);
}

void *native_map_lookup(void *map, const void *key)
{
	const struct map *m = map;
	uint32_t h = hash(key, m->seed), bucket = h & MASK;

	for (;;) {
		uint32_t link = word_at(m->buckets + bucket) & ~LOCKED;

		while (link && link < END) {
			uint8_t *record = m->records + (uint64_t)link * RECORD_SIZE;

			if (((uint32_t *)record)[1] == h && !memcmp(record + KEY_AT, key, KEY_SIZE))
				return record + VALUE_AT;
			link = word_at(record);
		}
		if (!link || link == (END | bucket))
			return 0;
		// The chain led elsewhere: a record was used again meanwhile.
	}
}
