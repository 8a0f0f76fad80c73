/*
 * folder.h - the one folder of a test or of a whole test program, which goes with all that is in it also where a test
 * fails.
 */
#ifndef TESTS_SUPPORT_FOLDER_H
#define TESTS_SUPPORT_FOLDER_H

/* cmocka's set-up and tear-down; they leave the state as it is. */
int folder_set_up(void **state);
int folder_tear_down(void **state);

const char *test_folder(void);
/* The path of name in it; good until seven more were asked for. */
const char *in_folder(const char *name);

#endif
