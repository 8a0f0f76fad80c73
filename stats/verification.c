/*
 * verification.c - counts of compared answers and the first of the wrong ones: gathered, and told.
 */
#include "stats/verification.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "common/text.h"
#include "stats/json_writer.h"

static bool comes_before(const struct mismatch *a, const struct mismatch *b)
{
	return a->request != b->request ? a->request < b->request : a->row < b->row;
}

void verification_note(struct verification *v, const struct mismatch *m)
{
	unsigned show = v->show < MISMATCHES_MAX ? v->show : MISMATCHES_MAX;
	unsigned at = v->nfirst, moved;

	while (at > 0 && comes_before(m, &v->first[at - 1]))
		at--;
	if (at >= show)
		return;
	moved = (v->nfirst < show ? v->nfirst : show - 1) - at;
	memmove(&v->first[at + 1], &v->first[at], moved * sizeof(*m));
	v->first[at] = *m;
	v->nfirst = at + moved + 1;
}

void verification_add(struct verification *to, const struct verification *from)
{
	to->answers += from->answers;
	to->compared += from->compared;
	to->wrong += from->wrong;
	to->missing += from->missing;
	to->same_class += from->same_class;
	to->largest_difference = fmax(to->largest_difference, from->largest_difference);
	for (unsigned i = 0; i < from->nfirst; i++)
		verification_note(to, &from->first[i]);
}

static double difference(const struct mismatch *m)
{
	return fabs((double)m->got - (double)m->expected);
}

static void write_mismatch(FILE *out, const struct mismatch *m)
{
	if (m->count)
		fprintf(out, "  row %" PRIu64 ": %.0f values, expected %.0f\n", m->row, (double)m->got,
			(double)m->expected);
	else
		fprintf(out, "  row %" PRIu64 ": value %" PRIu32 " is %.9g, expected %.9g, difference %.3g\n", m->row,
			m->value, (double)m->got, (double)m->expected, difference(m));
}

void verification_write_text(FILE *out, const struct verification *v)
{
	if (!v->file)
		return;
	fprintf(out, "Verified: %" PRIu64 " of %" PRIu64 " answers compared with %s (", v->compared, v->answers,
		v->file);
	if (v->share < 1)
		fprintf(out, "share %g %%, ", v->share * 100);
	fprintf(out, "tolerance %g", v->tolerance);
	if (v->relative_tolerance > 0)
		fprintf(out, " and %g of the expected value", v->relative_tolerance);
	fputs("): ", out);
	if (v->compared == 0)
		fputs("nothing is known of them", out);
	else if (v->wrong == 0)
		fputs("all right", out);
	else
		fprintf(out, "%" PRIu64 " wrong", v->wrong);
	if (v->compared > 0)
		fprintf(out, ", largest difference %.3g, the same class in %" PRIu64, v->largest_difference,
			v->same_class);
	fputc('\n', out);
	for (unsigned i = 0; i < v->nfirst; i++)
		write_mismatch(out, &v->first[i]);
	if (v->wrong > v->nfirst && v->nfirst > 0)
		fprintf(out, "  and %" PRIu64 " more\n", v->wrong - v->nfirst);
	if (v->missing)
		fprintf(out, "Warning: %" PRIu64 " answer%s could not be compared: %s has no answer to their rows\n",
			v->missing, plural(v->missing), v->file);
}

void recording_write_text(FILE *out, const struct recording *r)
{
	if (!r->file)
		return;
	fprintf(out, "Recorded: answers to %" PRIu64 " of %" PRIu64 " rows, in %s\n", r->recorded, r->rows, r->file);
	if (r->refused)
		fprintf(out,
			"Warning: %" PRIu64 " answer%s not recorded: row ids must go on by 1, and all rows be answered "
			"with as many values\n",
			r->refused, r->refused == 1 ? " was" : "s were");
	fputs("Warning: a recording run: keeping the answers costs the client time, do not publish its figures\n", out);
}

static void write_json_mismatch(struct json_writer *w, const struct mismatch *m)
{
	json_begin(w, NULL);
	json_uint(w, "Request", m->request);
	json_uint(w, "Row", m->row);
	if (m->count) {
		json_uint(w, "Values", (uint64_t)m->got);
		json_uint(w, "ExpectedValues", (uint64_t)m->expected);
	} else {
		json_uint(w, "Value", m->value);
		json_double(w, "Got", (double)m->got);
		json_double(w, "Expected", (double)m->expected);
		json_double(w, "Difference", difference(m));
	}
	json_end(w);
}

void verification_write_json(struct json_writer *w, const struct verification *v)
{
	if (!v->file) {
		json_string(w, "Verification", NULL);
		return;
	}
	json_begin(w, "Verification");
	json_string(w, "File", v->file);
	json_double(w, "Share", v->share);
	json_double(w, "Tolerance", v->tolerance);
	json_double(w, "RelativeTolerance", v->relative_tolerance);
	json_uint(w, "Answers", v->answers);
	json_uint(w, "Compared", v->compared);
	json_uint(w, "Wrong", v->wrong);
	json_uint(w, "Missing", v->missing);
	json_uint(w, "SameClass", v->same_class);
	json_double(w, "LargestDifference", v->compared ? v->largest_difference : NAN);
	json_begin_array(w, "FirstWrong");
	for (unsigned i = 0; i < v->nfirst; i++)
		write_json_mismatch(w, &v->first[i]);
	json_end_array(w);
	json_end(w);
}

void recording_write_json(struct json_writer *w, const struct recording *r)
{
	if (!r->file) {
		json_string(w, "Recording", NULL);
		return;
	}
	json_begin(w, "Recording");
	json_string(w, "File", r->file);
	json_uint(w, "Rows", r->rows);
	json_uint(w, "Recorded", r->recorded);
	json_uint(w, "Refused", r->refused);
	json_end(w);
}
