/*
 * version.h - what --version, INFO and result files say of the build.
 */
#ifndef COMMON_VERSION_H
#define COMMON_VERSION_H

#define AIBENCH_VERSION "0.1.0"

/* The git commit of the build, "-dirty" appended if the tree had changes; "unknown" outside of git. */
extern const char aibench_git_commit[];

#endif
