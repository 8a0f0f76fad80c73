/*
 * redis_advice.c - from the beginning of an error reply to advice; see the header.
 */
#include "net/redis_advice.h"

#include <stdio.h>
#include <string.h>

#include "common/arith.h"
#include "common/text.h"

static const struct redis_advice ADVICE[] = {
	{"NOAUTH", "the server wants a password: pass -password (and -user), or set REDISCLI_AUTH", true},
	{"WRONGPASS", "the server refused user or password: check -user and -password (or REDISCLI_AUTH)", true},
	{"invalid password", "the server refused the password: check -password (or REDISCLI_AUTH)", true},
	{"AUTH <password> called without any password",
	 "the server wants no password: leave -password out and REDISCLI_AUTH unset", true},
	{"Client sent AUTH, but no password is set",
	 "the server wants no password: leave -password out and REDISCLI_AUTH unset", true},
	{"LOADING", "the server is still loading its data: try again when it is done", true},
	{"DENIED",
	 "the server runs in protected mode and takes local clients only: set a password there, or its bind and "
	 "protected-mode",
	 true},
	{"max number of clients reached", "the server takes no more clients: raise its maxclients", true},
	{"CLUSTERDOWN", "is the Cluster whole? (redis-cli --cluster check)", false},
	{"OOM ", "the server is full: raise its maxmemory, or load less", false},
	{"READONLY", "this server is a replica: name its master instead", false},
	{"MISCONF", "the server cannot save its data: see its log", false},
	{"NOPERM", "the user lacks this permission: grant it (ACL SETUSER), or log in as another with -user", false},
	{"WRONGTYPE",
	 "the key holds data of another kind: delete it and store it again (aibench_load_data, aibench_load_model)",
	 false},
	{"tensor key is empty", "is the reference data loaded? (aibench_load_data)", false},
	{"model key is empty", "is the model stored? (aibench_load_model)", false},
	{"Invalid GraphDef", "is the file a frozen TensorFlow graph? models of other formats need -backend", false},
	{"Failed to load model from buffer", "is the file a TensorFlow Lite model? check -backend", false},
	{"No graph was found in the protobuf", "is the file a whole model of this -backend?", false},
};

const struct redis_advice *redis_advice_find(const char *reply, size_t len)
{
	/* RedisAI gives some of its texts with the code, some without. */
	size_t code = bytes_begin(reply, len, "ERR ") ? 4 : 0;

	for (size_t i = 0; i < ARRAY_LEN(ADVICE); i++) {
		if (bytes_begin(reply, len, ADVICE[i].begins) ||
		    bytes_begin(reply + code, len - code, ADVICE[i].begins))
			return &ADVICE[i];
	}
	return NULL;
}

void redis_advice_append(struct error *err, const char *reply, size_t len)
{
	const struct redis_advice *advice = redis_advice_find(reply, len);
	size_t end;

	if (!err || !advice)
		return;
	end = strlen(err->text);
	if (end > 0 && err->text[end - 1] == '.')
		end--;
	snprintf(err->text + end, sizeof(err->text) - end, ": %s", advice->text);
}
