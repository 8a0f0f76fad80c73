/*
 * network.c - the interface to the server, and round trips to it or to nobody.
 */
#include "runners/network.h"

#include "net/interface.h"

#define PINGS_TIME (200 * NSEC_PER_MSEC)
#define PING_TIMEOUT NSEC_PER_SEC

static void find_interface(struct network *n, const struct endpoint *e)
{
	struct net_interface i;

	net_interface_find(&i, e);
	snprintf(n->server, sizeof(n->server), "%s", endpoint_name(e));
	snprintf(n->interface, sizeof(n->interface), "%s", i.name);
	n->unix_socket = i.unix_socket;
	n->loopback = i.loopback;
	n->mtu = i.mtu;
	n->speed_mbits = i.speed_mbits;
}

static void measure(struct network *n, const struct ping_target *target, const struct run_config *cfg)
{
	const struct ping_limits limits = {
		.round_trips = NETWORK_PINGS,
		.time = PINGS_TIME,
		.timeout =
			cfg->conn->timeout > 0 && cfg->conn->timeout < PING_TIMEOUT ? cfg->conn->timeout : PING_TIMEOUT,
		.interrupt = cfg->interrupt,
	};
	enum ping_kind kind = target->endpoint ? target->kind : PING_ECHO;
	nsec_t times[NETWORK_PINGS];
	struct error err = {""};
	int r = target->endpoint ? ping_measure(target, &limits, times, &err) : 0;

	if (r <= 0) {
		kind = PING_ECHO;
		n->to_itself = true;
		n->why = err;
		r = ping_measure_loopback(&limits, times, &(struct error){""});
	}
	if (r <= 0)
		return;
	snprintf(n->ping, sizeof(n->ping), "%s", ping_name(kind));
	network_set_times(n, times, (unsigned)r);
}

void network_look(struct network *ret, const struct run_config *cfg, const struct driver *driver)
{
	struct ping_target target = {.kind = PING_ECHO};
	struct network n = {0};

	if (cfg->driver->ping_target)
		cfg->driver->ping_target(driver, &target);
	if (target.endpoint)
		find_interface(&n, target.endpoint);
	if (cfg->network_baseline)
		measure(&n, &target, cfg);
	*ret = n;
}
