/*
 * image_exif.c - the one tag of EXIF that changes what a picture looks like: Orientation, 0x0112, in the first
 * directory.
 */
#include "datagen/image_internal.h"

#define TIFF_HEADER 8
#define ENTRY_SIZE 12
#define TAG_ORIENTATION 0x0112

struct tiff {
	const uint8_t *data;
	size_t len;
	bool little;
};

/* Zero beyond the end. */
static unsigned u16(const struct tiff *t, size_t at)
{
	if (at > t->len || t->len - at < 2)
		return 0;
	return t->little ? t->data[at] | (unsigned)t->data[at + 1] << 8 : (unsigned)t->data[at] << 8 | t->data[at + 1];
}

static size_t u32(const struct tiff *t, size_t at)
{
	return t->little ? (size_t)u16(t, at + 2) << 16 | u16(t, at) : (size_t)u16(t, at) << 16 | u16(t, at + 2);
}

unsigned exif_orientation(const uint8_t *tiff, size_t len)
{
	struct tiff t = {tiff, len, true};
	size_t directory, entries;

	if (len < TIFF_HEADER || tiff[0] != tiff[1] || (tiff[0] != 'I' && tiff[0] != 'M'))
		return 1;
	t.little = tiff[0] == 'I';
	if (u16(&t, 2) != 42)
		return 1;
	directory = u32(&t, 4);
	entries = u16(&t, directory);
	for (size_t i = 0; i < entries; i++) {
		size_t entry = directory + 2 + i * ENTRY_SIZE;

		if (entry > len || len - entry < ENTRY_SIZE)
			return 1;
		if (u16(&t, entry) == TAG_ORIENTATION) {
			unsigned orientation = u16(&t, entry + 8);

			return orientation >= 1 && orientation <= 8 ? orientation : 1;
		}
	}
	return 1;
}
