/*
 * interface.h - through which network interface this machine reaches a server.
 */
#ifndef NET_INTERFACE_H
#define NET_INTERFACE_H

#include "net/conn.h"

struct net_interface {
	char name[32];        /* "eth0"; "": nobody knows */
	bool unix_socket;     /* there is none: the server is asked over a Unix socket */
	bool loopback;        /* the server's address is this machine's */
	unsigned mtu;         /* bytes; 0: unknown */
	unsigned speed_mbits; /* as the driver tells it; 0: unknown */
};

/* The way to the server's first address. Sends nothing. */
void net_interface_find(struct net_interface *ret, const struct endpoint *e);

#endif
