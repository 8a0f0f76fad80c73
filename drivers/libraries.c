/*
 * libraries.c - asks libraries for their versions without being a reason to link them: a weak symbol is NULL in a program
 * that has no driver which needs the library.
 */
#include "drivers/libraries.h"

#include <curl/curl.h>
#include <grpc/grpc.h>
#include <nghttp2/nghttp2.h>
#include <openssl/crypto.h>

#pragma weak OpenSSL_version
#pragma weak nghttp2_version
#pragma weak curl_version_info
#pragma weak grpc_version_string

void libraries_each(library_fn *fn, void *arg)
{
	if (OpenSSL_version)
		fn(arg, "OpenSSL", OpenSSL_version(OPENSSL_VERSION));
	if (nghttp2_version)
		fn(arg, "nghttp2", nghttp2_version(0)->version_str);
	if (curl_version_info)
		fn(arg, "libcurl", curl_version_info(CURLVERSION_NOW)->version);
	if (grpc_version_string)
		fn(arg, "gRPC", grpc_version_string());
}
