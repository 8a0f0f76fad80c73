#include "tests/support/certificates.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/support/process.h"

/* The words after "openssl", NULL-terminated. */
static void run_openssl(const char *const *words)
{
	const char *argv[24] = {"openssl"};
	struct process_result r;

	for (size_t n = 1; *words; words++)
		argv[n++] = *words;
	process_run(&r, argv, NULL, 60);
	if (r.status != 0) {
		fprintf(stderr, "tests/support: openssl ended with status %d\n%s%s\n", r.status, r.out, r.err);
		abort();
	}
	process_result_release(&r);
}

static void write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	if (!f || fputs(text, f) < 0 || fclose(f) != 0) {
		fprintf(stderr, "tests/support: cannot write %s\n", path);
		abort();
	}
}

void certificates_make(struct certificates *ret, const char *folder, const char *name)
{
	char ca_key[512], request[512], extensions[512], authority[128];

	snprintf(ret->ca, sizeof(ret->ca), "%s/%s.ca.pem", folder, name);
	snprintf(ret->cert, sizeof(ret->cert), "%s/%s.pem", folder, name);
	snprintf(ret->key, sizeof(ret->key), "%s/%s.key", folder, name);
	snprintf(ca_key, sizeof(ca_key), "%s/%s.ca.key", folder, name);
	snprintf(request, sizeof(request), "%s/%s.csr", folder, name);
	snprintf(extensions, sizeof(extensions), "%s/%s.cnf", folder, name);
	snprintf(authority, sizeof(authority), "/CN=authority %s", name);
	write_text(extensions, "subjectAltName=IP:127.0.0.1,DNS:localhost\n");
	run_openssl((const char *const[]){"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
					  "-nodes", "-days", "2", "-subj", authority, "-keyout", ca_key, "-out",
					  ret->ca, NULL});
	run_openssl((const char *const[]){"req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
					  "-subj", "/CN=127.0.0.1", "-keyout", ret->key, "-out", request, NULL});
	run_openssl((const char *const[]){"x509", "-req", "-in", request, "-CA", ret->ca, "-CAkey", ca_key,
					  "-CAcreateserial", "-days", "2", "-extfile", extensions, "-out", ret->cert,
					  NULL});
}
