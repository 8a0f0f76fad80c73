/*
 * conn_options.c - what the user says about reaching a server.
 */
#include <stddef.h>
#include <stdlib.h>

#include "common/arith.h"
#include "net/conn.h"

#define FIELD(f) offsetof(struct conn_options, f)

const struct option conn_option_table[] = {
	{"unix-socket", OPTION_PATH, FIELD(unix_socket), "Unix socket of the server, instead of host and port.", 0, 0},
	{"user", OPTION_STRING, FIELD(user), "`user` to log in as.", 0, 0},
	{"password", OPTION_SECRET, FIELD(password),
	 "`password` to log in with; other users of the machine can read it in the process list, so better set the "
	 "environment variable REDISCLI_AUTH.",
	 0, 0},
	{"tls", OPTION_BOOL, FIELD(tls), "Encrypt the connection; the server's certificate is verified.", 0, 0},
	{"cacert", OPTION_PATH, FIELD(ca_cert),
	 "PEM `file` of the only certificate authorities to trust, instead of the system's.", 0, 0},
	{"cert", OPTION_PATH, FIELD(cert), "PEM `file` of the client certificate (and its chain) to show.", 0, 0},
	{"key", OPTION_PATH, FIELD(key), "PEM `file` of the client certificate's key, if it is not in -cert's.", 0, 0},
	{"insecure", OPTION_BOOL, FIELD(insecure), "Accept any server certificate.", 0, 0},
	{"timeout", OPTION_DURATION, FIELD(timeout), "The longest wait to connect, and for each request.",
	 (double)NSEC_PER_MSEC, OPTION_DAY},
	{0},
};

void conn_options_defaults(struct conn_options *o)
{
	const char *password = getenv("REDISCLI_AUTH");

	*o = (struct conn_options){
		.password = password && *password ? password : NULL,
		.timeout = 30 * NSEC_PER_SEC,
	};
}

int conn_options_check(const struct conn_options *o, struct error *err)
{
	const struct {
		const char *option, *file;
	} files[] = {{"-cacert", o->ca_cert}, {"-cert", o->cert}, {"-key", o->key}};

	for (size_t i = 0; !o->tls && i < ARRAY_LEN(files); i++) {
		if (files[i].file && *files[i].file)
			return error_set(err, ERR_USAGE, "%s has no effect on a plain connection: pass -tls too",
					 files[i].option);
	}
	return 0;
}
