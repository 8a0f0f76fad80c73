/*
 * e2e.h - what the end-to-end tests share: the fraud benchmark's files, programs called as a user calls them, a server
 * that fails on purpose.
 */
#ifndef TESTS_E2E_E2E_H
#define TESTS_E2E_E2E_H

#include <stddef.h>

#include "tests/support/process.h"
#include "tests/support/redis_server.h"

#define TEST_ROWS 2000
#define TEST_ROWS_TEXT "2000"
/* Longer than anything takes here; reaching it means that a program hangs. */
#define LIMIT_SECONDS 60.0

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Programs that several of the tests call. */
#define NULL_RUN "aibench_run_inference_null"
#define SET_RUN "aibench_run_inference_redis_set"
#define REDISAI_RUN "aibench_run_inference_redisai"
#define LOAD "aibench_load_data"
#define LOAD_MODEL "aibench_load_model"
/* By default a run leaves a file of its histogram. */
#define NO_HISTOGRAM "-output-file-stats-hdr-response-latency-hist="

/* One folder with the dataset (TEST_ROWS rows) and both models, made by the programs themselves. */
struct fraud_files {
	char folder[256];
	char data[512], model[512], model_noreference[512];
};

/* Of the whole test program, between its set-up and its tear-down; its folder is the working directory then. */
extern struct fraud_files files;
int fraud_files_set_up(void **state);
int fraud_files_tear_down(void **state);

/* path = folder/name; returns path. */
const char *path_in(char *path, size_t size, const char *folder, const char *name);
/* The whole file, NUL-terminated, malloc'd; fails the test when it cannot be read. */
char *read_file(const char *path, size_t *ret_len);
void write_file(const char *path, const void *data, size_t len);
/* How many entries the folder has. */
unsigned count_files(const char *folder);

/* Runs to the end and expects status 0; what failed is shown. */
void run_ok(struct process_result *r, const char *const *words, const struct process_options *o);
/* The same, and drops what it printed. */
void run_quietly(const char *const *words);
/* The same; each of the texts is in its standard output. */
void run_prints(const char *const *words, const char *const *texts);
/* Expects this exit status and exactly one line on stderr, which begins with the program's name and holds each of the
 * texts. */
void run_fails(int status, const char *const *words, const struct process_options *o, const char *const *texts);
/* The checks of run_fails for a program that was started otherwise. Releases r. */
void check_failed(struct process_result *r, const char *program, int status, const char *const *texts);
/* Each text is in the output, which is shown when one is not. */
void check_holds(const char *output, const char *const *texts);
/* The same of a file. */
void check_file(const char *path, const char *const *texts);

/* Return when the program, which goes on running, has printed so many lines or this text on standard output; fail the
 * test, showing what it printed, when it ends before or LIMIT_SECONDS have passed. */
void wait_for_lines(struct process *p, unsigned lines);
void wait_for_output(struct process *p, const char *text);

/* Stores both models (financialNet, financialNet_NoReference) and the reference tensors. */
void load_fraud(const struct redis_server *s);

/* How a server misbehaves once its time has come. */
enum fault {
	FAULT_ERROR,      /* answers -ERR made up */
	FAULT_CLOSE,      /* closes */
	FAULT_RESET,      /* resets */
	FAULT_GARBAGE,    /* answers no RESP */
	FAULT_HALF_REPLY, /* answers the beginning of a reply, then closes */
	FAULT_SILENCE,    /* answers nothing any more on this connection */
	FAULT_HALF_CLOSE, /* says that it will send nothing more, and reads on */
	FAULT_REPLY,      /* answers the plan's reply */
	/* Of gRPC; the request is handed on all the same, as its headers change what later ones mean: */
	FAULT_RESET_STREAM, /* resets the request's stream */
	FAULT_GOING_AWAY,   /* announces the connection's end; what is under way is answered */
};

/*
 * A server in a process of its own. With an upstream it hands bytes both ways until what a client sends has held
 * `trigger` `first` times, and then misbehaves: once, or with `always` each time from then on. Without upstream it
 * misbehaves on a connection's first bytes.
 */
struct faulty_server {
	pid_t pid;
	unsigned short port;
	char port_text[8];
};

struct fault_plan {
	enum fault fault;
	unsigned short upstream; /* 0: none */
	const char *trigger;
	unsigned first; /* 1: the first time */
	bool always;
	const void *reply; /* of FAULT_REPLY: whatever protocol the client speaks */
	size_t reply_len;
	bool closes;       /* after that reply */
	unsigned delay_us; /* before each reply, one after the other: a server of a known capacity */
};

void faulty_server_start(struct faulty_server *s, const struct fault_plan *plan);
void faulty_server_stop(struct faulty_server *s);

#endif
