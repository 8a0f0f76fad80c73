/*
 * certificates.h - an authority and a certificate signed by it, made by the openssl program for one test.
 */
#ifndef TESTS_SUPPORT_CERTIFICATES_H
#define TESTS_SUPPORT_CERTIFICATES_H

/* Paths of PEM files. The certificate is for 127.0.0.1 and localhost; it serves as a client's too. */
struct certificates {
	char ca[512], cert[512], key[512];
};

/* Writes name.ca.pem, name.pem and name.key into an existing folder; aborts the test where that fails. */
void certificates_make(struct certificates *ret, const char *folder, const char *name);

#endif
