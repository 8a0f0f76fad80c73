/*
 * grpc_credentials.c - TLS for the gRPC C core; see the header.
 */
#include "drivers/grpc_credentials.h"

#include <stdlib.h>

#include "common/file.h"

#define PEM_MAX ((size_t)4 << 20)

/* The files that the options name; NULL where they name none. */
struct pem {
	char *ca, *cert, *key;
};

static void pem_release(struct pem *p)
{
	free(p->ca);
	free(p->cert);
	free(p->key);
}

static int read_one(char **ret, const char *path, struct error *err)
{
	size_t len;

	return path && *path ? file_read(ret, &len, path, PEM_MAX, err) : 0;
}

static int pem_read(struct pem *p, const struct conn_options *o, struct error *err)
{
	int r = read_one(&p->ca, o->ca_cert, err);

	if (r == 0)
		r = read_one(&p->cert, o->cert, err);
	if (r == 0 && p->cert)
		r = read_one(&p->key, o->key && *o->key ? o->key : o->cert, err);
	return r;
}

/* The core's ordinary credentials cannot leave out the check of the certificate; those of its TLS interface can. */
static grpc_channel_credentials *unchecked(const struct pem *p)
{
	grpc_tls_credentials_options *options = grpc_tls_credentials_options_create();
	grpc_tls_certificate_verifier *anybody = grpc_tls_certificate_verifier_no_op_create();

	grpc_tls_credentials_options_set_verify_server_cert(options, 0);
	grpc_tls_credentials_options_set_check_call_host(options, 0);
	grpc_tls_credentials_options_set_certificate_verifier(options, anybody);
	grpc_tls_certificate_verifier_release(anybody);
	if (p->cert) {
		grpc_tls_identity_pairs *pairs = grpc_tls_identity_pairs_create();
		grpc_tls_certificate_provider *provider;

		grpc_tls_identity_pairs_add_pair(pairs, p->key, p->cert);
		provider = grpc_tls_certificate_provider_static_data_create(NULL, pairs);
		grpc_tls_credentials_options_set_certificate_provider(options, provider);
		grpc_tls_credentials_options_watch_identity_key_cert_pairs(options);
		grpc_tls_certificate_provider_release(provider);
	}
	return grpc_tls_credentials_create(options);
}

int grpc_credentials_new(grpc_channel_credentials **ret, const struct conn_options *o, struct error *err)
{
	grpc_channel_credentials *c = NULL;
	struct pem p = {0};
	int r = 0;

	if (!o->tls) {
		c = grpc_insecure_credentials_create();
	} else {
		r = pem_read(&p, o, err);
		if (r == 0 && o->insecure) {
			c = unchecked(&p);
		} else if (r == 0) {
			grpc_ssl_pem_key_cert_pair pair = {.private_key = p.key, .cert_chain = p.cert};

			c = grpc_ssl_credentials_create_ex(p.ca, p.cert ? &pair : NULL, NULL, NULL);
		}
		pem_release(&p);
	}
	if (r == 0 && !c)
		r = error_set(err, ERR_TLS, "gRPC does not take the certificates");
	if (r == 0)
		*ret = c;
	return r;
}
