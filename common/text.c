#include "common/text.h"

bool word_take(char *word, size_t size, const char **at, const char *separators)
{
	size_t len = strcspn(*at, separators);

	if (len >= size)
		return false;
	memcpy(word, *at, len);
	word[len] = '\0';
	*at += len;
	return true;
}
