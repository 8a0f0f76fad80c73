/*
 * fuzz_commands.c - AI.* command lines through the whole module, over a fake Redis.
 *
 * An input is commands, one a line, in words between single spaces; $M stands for a model (a, b -> mul), $S for its
 * first half, $Z for eight zero bytes, $D for a model of the test's TORCH backend and $F for a script of it.
 */
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "fuzz/servers/redisai/fake_redis.h"

#define WORDS_MAX 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct RedisModuleString *make_word(const char *text, size_t len)
{
	static const char zeros[8], script[] = "def f(t, k, a): sum\ndef g(t, k, a): words\ndef h(t, k, a): list";
	size_t model_len;
	const char *model = fake_redis_model(&model_len);

	if (len == 2 && memcmp(text, "$M", 2) == 0)
		return fake_redis_string(model, model_len);
	if (len == 2 && memcmp(text, "$S", 2) == 0)
		return fake_redis_string(model, model_len / 2);
	if (len == 2 && memcmp(text, "$Z", 2) == 0)
		return fake_redis_string(zeros, sizeof(zeros));
	if (len == 2 && memcmp(text, "$D", 2) == 0)
		return fake_redis_string("double", 6);
	if (len == 2 && memcmp(text, "$F", 2) == 0)
		return fake_redis_string(script, sizeof(script) - 1);
	return fake_redis_string(text, len);
}

/* One line of text as a command. */
static void run_line(const char *line, size_t len, bool *batches)
{
	struct RedisModuleString *argv[WORDS_MAX];
	int argc = 0;

	while (argc < WORDS_MAX) {
		const char *space = memchr(line, ' ', len);
		size_t n = space ? (size_t)(space - line) : len;

		*batches = *batches || (n == 12 && strncasecmp(line, "MINBATCHSIZE", n) == 0);
		argv[argc++] = make_word(line, n);
		if (!space)
			break;
		line += n + 1;
		len -= n + 1;
	}
	fake_redis_run(argv, argc, *batches);
	while (argc > 0)
		fake_redis_string_free(argv[--argc]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool batches = false;
	const char *at = (const char *)data, *end = at + size;

	fake_redis_start();
	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at)), *stop = newline ? newline : end;

		run_line(at, (size_t)(stop - at), &batches);
		at = stop + 1;
	}
	fake_redis_flush();
	return 0;
}
