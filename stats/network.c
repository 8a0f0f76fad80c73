/*
 * network.c - the quantiles of the baseline, and the network's part of the reports.
 */
#include "stats/network.h"

#include <stdlib.h>

#include "common/text.h"
#include "stats/json_writer.h"

void network_set_times(struct network *n, nsec_t *times, unsigned ntimes)
{
	qsort(times, ntimes, sizeof(*times), nsec_compare);
	n->round_trips = ntimes;
	n->min = times[0];
	n->q50 = times[ntimes / 2];
	n->q99 = times[(uint64_t)ntimes * 99 / 100];
	n->max = times[ntimes - 1];
}

/* " (lo, loopback)", " (eth0, 10000 Mbit/s)" */
static void write_way(FILE *out, const struct network *n)
{
	if (n->unix_socket)
		fputs(" (Unix socket)", out);
	if (!n->interface[0])
		return;
	fprintf(out, " (%s", n->interface);
	if (n->loopback)
		fputs(", loopback", out);
	if (n->speed_mbits)
		fprintf(out, ", %u Mbit/s", n->speed_mbits);
	fputc(')', out);
}

void network_write_text(FILE *out, const struct network *n)
{
	if (!n->ping[0])
		return;
	fputs("Network baseline, ", out);
	if (n->to_itself)
		fprintf(out, "%s of this program with itself", n->ping);
	else
		fprintf(out, "%s to %s", n->ping, n->server);
	if (!n->to_itself)
		write_way(out, n);
	fprintf(out, ", %u round trip%s (ms): min %.3f, q50 %.3f, q99 %.3f, max %.3f\n", n->round_trips,
		plural(n->round_trips), nsec_to_msec(n->min), nsec_to_msec(n->q50), nsec_to_msec(n->q99),
		nsec_to_msec(n->max));
	if (n->why.text[0])
		fprintf(out, "Note: the server itself was not pinged: %s\n", n->why.text);
}

void network_write_json(struct json_writer *w, const struct network *n)
{
	json_begin(w, "Network");
	json_string_or_null(w, "Server", n->server);
	json_bool(w, "UnixSocket", n->unix_socket);
	json_string_or_null(w, "Interface", n->interface);
	json_bool(w, "Loopback", n->loopback);
	json_uint_or_null(w, "MTU", n->mtu);
	json_uint_or_null(w, "SpeedMbits", n->speed_mbits);
	json_end(w);
	if (!n->ping[0]) {
		json_string(w, "NetworkBaseline", NULL);
		return;
	}
	json_begin(w, "NetworkBaseline");
	json_string(w, "Request", n->ping);
	json_string(w, "Between",
		    n->to_itself ? "this program and itself over 127.0.0.1" : "this program and the server");
	json_string_or_null(w, "WhyNotTheServer", n->why.text);
	json_uint(w, "RoundTrips", n->round_trips);
	json_string(w, "Unit", "nanoseconds");
	json_int(w, "Min", n->min);
	json_int(w, "q50", n->q50);
	json_int(w, "q99", n->q99);
	json_int(w, "Max", n->max);
	json_end(w);
}
