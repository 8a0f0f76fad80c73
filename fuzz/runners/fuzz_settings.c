/*
 * The small languages of -sweep, -slo and -rate, which a replay takes from a file. What is read must hold what its header
 * says of it.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "runners/arrival.h"
#include "runners/schedule.h"
#include "runners/sweep.h"
#include "stats/objective.h"

#define INPUT_MAX 512
#define NAME_SIZE 128

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
	if (!holds)
		abort();
}

static void read_sweep(const char *text)
{
	struct error err = {""};
	struct sweep s;
	size_t points = 1;

	if (sweep_parse(&s, text, &err) < 0) {
		require(err.text[0] != '\0');
		return;
	}
	require(s.naxes >= 1 && s.naxes <= SWEEP_VARIABLES && s.points >= 1 && s.points <= SWEEP_POINTS_MAX);
	for (unsigned i = 0; i < s.naxes; i++) {
		require(s.axes[i].n >= 1 && s.axes[i].n <= SWEEP_VALUES_MAX);
		points *= s.axes[i].n;
	}
	require(points == s.points);
	for (size_t i = 0; i < points; i++) {
		struct sweep_point p;
		char name[NAME_SIZE];

		sweep_point_at(&p, &s, i);
		require(strlen(sweep_point_name(name, sizeof(name), &p)) < sizeof(name) - 1);
		for (unsigned a = 0; a < s.naxes; a++)
			require(isfinite(p.values[s.axes[a].variable]));
	}
}

static void read_slo(const char *text)
{
	struct error err = {""};
	struct slo slo;

	if (slo_parse(&slo, text, &err) < 0) {
		require(err.text[0] != '\0');
		return;
	}
	require(slo.n >= 1 && slo.n <= SLO_MAX);
	for (unsigned i = 0; i < slo.n; i++) {
		char words[NAME_SIZE];

		require(slo.objectives[i].percentile > 0 && slo.objectives[i].percentile < 100);
		require(slo.objectives[i].bound > 0 && slo.objectives[i].bound < HISTOGRAM_LATENCY_HIGHEST);
		require(strlen(objective_format(words, sizeof(words), &slo.objectives[i])) < sizeof(words) - 1);
	}
}

static void read_rate(const char *text)
{
	struct error err = {""};
	struct rate_schedule s;

	if (rate_schedule_parse(&s, text, &err) < 0) {
		require(err.text[0] != '\0');
		return;
	}
	require(s.n >= 1 && s.n <= RATE_SEGMENTS_MAX && rate_schedule_duration(&s) > 0);
	for (unsigned i = 0; i < s.n; i++)
		require(s.segments[i].from >= ARRIVAL_RATE_MIN && s.segments[i].from <= ARRIVAL_RATE_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[INPUT_MAX + 1];

	if (size > INPUT_MAX)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	read_sweep(text);
	read_slo(text);
	read_rate(text);
	return 0;
}
