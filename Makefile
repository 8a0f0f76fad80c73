# aibench: programs in bin/, the Redis module in bin/redisai.so. `make help` lists the targets.
#
# Every folder of sources is one static library and every file is found by its place. The table below says which
# folders each one may use; scripts/check_includes.sh holds the #includes to it.

BUILD ?= build/release
BIN ?= bin
CC := $(if $(filter default,$(origin CC)),gcc,$(CC))
OPT ?= -O2 -g
SANITIZE ?=
WERROR ?=

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla
SAN := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
ALL_CPPFLAGS := -I. -I$(BUILD) -D_GNU_SOURCE $(CPPFLAGS)
ALL_CFLAGS := -std=gnu11 $(OPT) -fPIC -pthread -fvisibility=hidden $(WARN) $(if $(WERROR),-Werror) $(SAN) $(CFLAGS)
ALL_LDFLAGS := -pthread -Wl,--as-needed $(SAN) $(LDFLAGS)

# folder: what it may use, in link order
LIBS_common :=
LIBS_proto :=
LIBS_net := common
LIBS_stats := common
LIBS_workloads := common
LIBS_datagen := workloads proto common
LIBS_loaders := workloads net common
LIBS_drivers := workloads net common
LIBS_runners := drivers workloads stats net common
LIBS_engine := proto common
LIBS_servers/redisai := engine proto common
FOLDERS := common proto net stats workloads datagen loaders drivers runners engine servers/redisai

# folder: system libraries
SYS_common := -lm
SYS_proto := -lprotobuf-c
SYS_net := -lhiredis -lssl -lcrypto
SYS_stats := -lz -lm
SYS_datagen := -lz -lm
SYS_runners := -ljansson
SYS_engine := -ldnnl -lgomp -lm

# program: the folder it is the front of
USES_aibench_generate_data := datagen
USES_aibench_generate_model := datagen
USES_aibench_load_data := loaders
USES_aibench_run_inference_redisai := runners
PROGRAMS := $(patsubst cmd/%.c,$(BIN)/%,$(filter-out cmd/common%,$(wildcard cmd/aibench_*.c)))

sources = $(wildcard $(1)/*.c)
objects = $(patsubst %.c,$(BUILD)/%.o,$(call sources,$(1))) $(if $(filter proto,$(1)),$(PROTO_OBJ)) $(if $(filter common,$(1)),$(BUILD)/common/build_id.o)
archive = $(BUILD)/lib$(subst /,_,$(1)).a
archives = $(foreach f,$(1) $(LIBS_$(1)),$(call archive,$(f)))
syslibs = $(foreach f,$(1) $(LIBS_$(1)),$(SYS_$(f)))

PROTO_GEN := $(patsubst proto/%.proto,$(BUILD)/proto/%.pb-c.c,$(wildcard proto/*.proto))
PROTO_OBJ := $(PROTO_GEN:.c=.o)

.PHONY: all programs module clean
all: programs module
programs: $(PROGRAMS)
module: $(BIN)/redisai.so

define folder_rules
$(call archive,$(1)): $(call objects,$(1))
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(AR) rcs $$@ $$^
endef
$(foreach f,$(FOLDERS),$(eval $(call folder_rules,$(f))))

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/proto/%.pb-c.c $(BUILD)/proto/%.pb-c.h: proto/%.proto
	@mkdir -p $(@D)
	protoc-c --proto_path=proto --c_out=$(BUILD)/proto $<
$(BUILD)/proto/%.pb-c.o: $(BUILD)/proto/%.pb-c.c
	$(CC) $(ALL_CPPFLAGS) -std=gnu11 $(OPT) -fPIC $(SAN) -MMD -MP -c $< -o $@
# Generated headers must be there before anything that may include them is compiled.
GENERATED_HEADERS := $(PROTO_GEN:.c=.h)
$(foreach f,engine datagen servers/redisai,$(patsubst %.c,$(BUILD)/%.o,$(call sources,$(f)))): | $(GENERATED_HEADERS)

GIT_COMMIT := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)$(shell git diff --quiet HEAD 2>/dev/null || echo -dirty)
$(BUILD)/common/build_id.c: $(BUILD)/git_commit
	@mkdir -p $(@D)
	@printf '#include "common/version.h"\n\nconst char aibench_git_commit[] = "%s";\n' '$(GIT_COMMIT)' > $@
$(BUILD)/common/build_id.o: $(BUILD)/common/build_id.c
	@$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -c $< -o $@
# Rewritten only when the commit differs from the last build's.
$(BUILD)/git_commit: FORCE
	@mkdir -p $(@D)
	@echo '$(GIT_COMMIT)' | cmp -s - $@ || echo '$(GIT_COMMIT)' > $@
.PHONY: FORCE
FORCE:

define program_rules
$(BIN)/$(1): $(BUILD)/cmd/$(1).o $(call archives,$(USES_$(1)))
	@mkdir -p $$(@D)
	$$(CC) $$(ALL_LDFLAGS) $$^ $(call syslibs,$(USES_$(1))) -o $$@
endef
$(foreach p,$(notdir $(PROGRAMS)),$(eval $(call program_rules,$(p))))

$(BIN)/redisai.so: $(call archives,servers/redisai)
	@mkdir -p $(@D)
	$(CC) -shared $(ALL_LDFLAGS) -Wl,--whole-archive $(call archive,servers/redisai) -Wl,--no-whole-archive $(filter-out $(call archive,servers/redisai),$^) $(call syslibs,servers/redisai) -o $@

# Tests: tests/<folder>/test_*.c is linked with that folder's library and what it uses; tests/e2e with none of ours
# but the network layer. tests/support is linked with all of them.
TEST_SOURCES := $(wildcard tests/*/test_*.c tests/servers/*/test_*.c)
TESTS := $(patsubst %.c,$(BUILD)/%,$(TEST_SOURCES))
TEST_SUPPORT := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/support/*.c))
LIBS_e2e := workloads net common
test_folder = $(patsubst tests/%/,%,$(dir $(1)))
.SECONDEXPANSION:
$(TESTS): $(BUILD)/%: $(BUILD)/%.o $(TEST_SUPPORT) $$(foreach f,$$(call test_folder,%.c) $$(LIBS_$$(call test_folder,%.c)),$$(if $$(filter e2e,$$(f)),,$$(call archive,$$(f))))
	$(CC) $(ALL_LDFLAGS) $^ $(sort $(foreach f,$(call test_folder,$*.c) $(LIBS_$(call test_folder,$*.c)),$(SYS_$(f)))) -lcmocka -o $@
$(patsubst %.c,$(BUILD)/%.o,$(filter tests/engine/% tests/datagen/% tests/servers/%,$(TEST_SOURCES))): | $(GENERATED_HEADERS)

.PHONY: tests
tests: $(TESTS)

clean:
	rm -rf build bin

-include $(shell [ -d $(BUILD) ] && find $(BUILD) -name '*.d')
