/*
 * interface.c - the kernel's route to an address, by the local address that it gives a socket.
 */
#include "net/interface.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/conn_internal.h"

/* A datagram socket is only told where to: nothing is sent. False: there is no route. */
static bool local_address(struct sockaddr_storage *ret, const struct address *to)
{
	socklen_t len = sizeof(*ret);
	int fd = socket(to->sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool found;

	if (fd < 0)
		return false;
	found = connect(fd, (const struct sockaddr *)&to->sa, to->len) == 0 &&
		getsockname(fd, (struct sockaddr *)ret, &len) == 0;
	close(fd);
	return found;
}

static bool same_host(const struct sockaddr *a, const struct sockaddr *b)
{
	if (!a || a->sa_family != b->sa_family)
		return false;
	if (a->sa_family == AF_INET)
		return ((const struct sockaddr_in *)(const void *)a)->sin_addr.s_addr ==
		       ((const struct sockaddr_in *)(const void *)b)->sin_addr.s_addr;
	return a->sa_family == AF_INET6 &&
	       !memcmp(&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr,
		       &((const struct sockaddr_in6 *)(const void *)b)->sin6_addr, sizeof(struct in6_addr));
}

/* A number that /sys tells of the interface; 0: it does not. */
static unsigned read_number(const char *interface, const char *what)
{
	char path[96];
	long value = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/class/net/%s/%s", interface, what);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%9ld", &value) != 1 || value < 0) /* -1: no link */
		value = 0;
	fclose(f);
	return (unsigned)value;
}

void net_interface_find(struct net_interface *ret, const struct endpoint *e)
{
	const struct sockaddr *server = (const struct sockaddr *)&e->addresses[0].sa;
	struct sockaddr_storage local = {0};
	struct ifaddrs *list;

	*ret = (struct net_interface){.unix_socket = server->sa_family == AF_UNIX};
	if (ret->unix_socket || !local_address(&local, &e->addresses[0]) || getifaddrs(&list) < 0)
		return;
	/* An address of this machine's own is reached through the loopback interface, whatever it is assigned to. */
	ret->loopback = same_host((const struct sockaddr *)&local, server);
	for (const struct ifaddrs *i = list; i && !ret->name[0]; i = i->ifa_next) {
		bool is_loopback = (i->ifa_flags & IFF_LOOPBACK) != 0;

		if (ret->loopback ? is_loopback : same_host(i->ifa_addr, (const struct sockaddr *)&local)) {
			snprintf(ret->name, sizeof(ret->name), "%s", i->ifa_name);
			ret->loopback = is_loopback;
		}
	}
	freeifaddrs(list);
	if (!ret->name[0])
		return;
	ret->mtu = read_number(ret->name, "mtu");
	ret->speed_mbits = ret->loopback ? 0 : read_number(ret->name, "speed");
}
