/*
 * json_text.c - UTF-8 sequences told apart, and JSON's escapes.
 */
#include "common/json_text.h"

#include <string.h>

size_t utf8_length(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t n;

	if (len == 0)
		return 0;
	n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;
	if (n > len)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	if (n > 1 && ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
		      (s[0] == 0xf4 && s[1] > 0x8f)))
		return 0;
	return n;
}

static size_t escape(char *dst, unsigned char c)
{
	static const char HEX[] = "0123456789abcdef";

	if (c == '\n') {
		memcpy(dst, "\\n", 2);
		return 2;
	}
	memcpy(dst, "\\u00", 4);
	dst[4] = HEX[c >> 4];
	dst[5] = HEX[c & 15];
	return 6;
}

size_t json_character(char *dst, const char *s, size_t len, size_t *ret_taken)
{
	size_t n = utf8_length(s, len);
	unsigned char c = (unsigned char)*s;

	*ret_taken = n ? n : 1;
	if (n == 0) {
		memcpy(dst, "\\ufffd", 6);
		return 6;
	}
	if (c < 0x20 || c == 0x7f)
		return escape(dst, c);
	if (c == '"' || c == '\\') {
		dst[0] = '\\';
		dst[1] = (char)c;
		return 2;
	}
	memcpy(dst, s, n);
	return n;
}
