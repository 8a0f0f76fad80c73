/*
 * repository_config.h - the words of struct repository_config, taken apart.
 */
#ifndef SERVERS_MODEL_SERVER_REPOSITORY_CONFIG_H
#define SERVERS_MODEL_SERVER_REPOSITORY_CONFIG_H

#include "servers/model_server/repository.h"

/* NAME[:TAG]=VALUE; where a list allows it, NAME is empty and stands for every model. */
struct setting {
	char *name, *tag, *value; /* tag NULL: none */
};

struct settings {
	struct setting *list;
	size_t n;
};

/*
 * Splits words at commas. option: for messages. ERR_USAGE: a word is not of that form. plain: NAME= may be left out.
 */
int settings_parse(struct settings *ret, const char *option, const char *words, bool plain,
		   struct error *err) MUST_CHECK;
/* The value of that name and tag, or of the empty name; NULL: none. */
const char *settings_find(const struct settings *s, const char *name, size_t len);
const struct setting *settings_find_tag(const struct settings *s, const char *name, const char *tag, size_t tag_len);
/* ERR_USAGE: a name, with its tag, is there twice: of two values one would be dropped. */
int settings_check_once(const struct settings *s, const char *option, struct error *err) MUST_CHECK;
/* Values that are names of the same list become what those stand for. ERR_USAGE: one stands for itself in the end. */
int settings_resolve(struct settings *s, const char *option, struct error *err) MUST_CHECK;
void settings_release(struct settings *s);

#endif
