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
LIBS_servers/model_server := engine proto common
FOLDERS := common proto net stats workloads datagen loaders drivers runners engine servers/redisai servers/model_server

# folder: system libraries
SYS_common := -lm
SYS_proto := -lprotobuf-c
SYS_net := -lhiredis -lssl -lcrypto -lhttp_parser -lnghttp2
SYS_stats := -lz -ljansson -lm
SYS_datagen := -ljpeg -lpng -lz -lm
SYS_drivers := -lcurl -lgrpc -lgpr
SYS_engine := -ldnnl -lgomp -ldl -lm
SYS_servers/model_server := -lgrpc -lgpr -lmicrohttpd -ljansson

# program: the folders it is the front of
USES_aibench_answers := engine workloads
USES_aibench_compare := runners
USES_aibench_generate_data := datagen
USES_aibench_generate_data_vision := datagen
USES_aibench_generate_model := datagen
USES_aibench_load_data := loaders
USES_aibench_load_model := loaders
USES_aibench_model_server := servers/model_server
USES_aibench_run_inference_null := runners
USES_aibench_run_inference_redis_set := runners
USES_aibench_run_inference_redisai := runners
USES_aibench_run_inference_redisai_vision := runners
USES_aibench_run_inference_tensorflow_serving := runners
USES_aibench_run_inference_tensorflow_serving_vision := runners
USES_aibench_run_inference_flask_tensorflow := runners
USES_aibench_run_inference_flask_tensorflow_vision := runners
USES_aibench_run_inference_torchserve := runners
USES_aibench_run_inference_torchserve_vision := runners
USES_aibench_run_inference_triton := runners
USES_aibench_run_inference_triton_vision := runners
PROGRAMS := $(patsubst cmd/%.c,$(BIN)/%,$(wildcard cmd/aibench_*.c))

PROTO_GEN := $(patsubst proto/%.proto,$(BUILD)/proto/%.pb-c.c,$(wildcard proto/*.proto))
PROTO_USERS := engine datagen servers/redisai servers/model_server

sources = $(wildcard $(1)/*.c)
objects = $(patsubst %.c,$(BUILD)/%.o,$(sources))
archive = $(BUILD)/lib$(subst /,_,$(1)).a
with_uses = $(1) $(foreach f,$(1),$(LIBS_$(f)))
archives = $(foreach f,$(call with_uses,$(1)),$(call archive,$(f)))
syslibs = $(foreach f,$(call with_uses,$(1)),$(SYS_$(f)))
objects_common = $(call objects,common) $(BUILD)/common/build_id.o
objects_proto = $(PROTO_GEN:.c=.o)
comma := ,
# Archives in a group: their order and repetition then do not matter.
link = $(CC) $(ALL_LDFLAGS) $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group

.PHONY: all programs module clean
all: programs module
programs: $(PROGRAMS)
module: $(BIN)/redisai.so

define folder_rules
$(call archive,$(1)): $(or $(objects_$(1)),$(call objects,$(1)))
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
$(BUILD)/proto/%.pb-c.o: $(BUILD)/proto/%.pb-c.c | $(PROTO_GEN:.c=.h)
	$(CC) $(ALL_CPPFLAGS) -std=gnu11 $(OPT) -fPIC $(SAN) -MMD -MP -c $< -o $@
# The same bits as OpenCV on every machine: no multiply-add fused where OpenCV rounds twice.
$(BUILD)/datagen/image_resize.o: CFLAGS += -ffp-contract=off
# The generated headers come before anything that may include them.
$(foreach f,$(PROTO_USERS) $(addprefix tests/,$(PROTO_USERS)) $(addprefix fuzz/,$(PROTO_USERS)),$(call objects,$(f))): | $(PROTO_GEN:.c=.h)

GIT_COMMIT := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)$(shell git diff --quiet HEAD 2>/dev/null || echo -dirty)
# Rewritten only when the commit differs from the last build's.
$(BUILD)/git_commit: FORCE
	@mkdir -p $(@D)
	@echo '$(GIT_COMMIT)' | cmp -s - $@ || echo '$(GIT_COMMIT)' > $@
$(BUILD)/common/build_id.c: $(BUILD)/git_commit
	@mkdir -p $(@D)
	@printf '#include "common/version.h"\n\nconst char aibench_git_commit[] = "%s";\n' '$(GIT_COMMIT)' > $@
$(BUILD)/common/build_id.o: $(BUILD)/common/build_id.c
	@$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -c $< -o $@
.PHONY: FORCE
FORCE:

# What is no program in cmd/ is glue that several programs share.
$(BUILD)/libcmd.a: $(patsubst %.c,$(BUILD)/%.o,$(filter-out cmd/aibench_%,$(wildcard cmd/*.c)))
	@rm -f $@
	$(AR) rcs $@ $^
define program_rules
$(BIN)/$(1): $(BUILD)/cmd/$(1).o $(BUILD)/libcmd.a $(call archives,$(USES_$(1)))
	@mkdir -p $$(@D)
	$$(link) $(call syslibs,$(USES_$(1))) -o $$@
endef
$(foreach p,$(notdir $(PROGRAMS)),$(eval $(call program_rules,$(p))))

$(BIN)/redisai.so: $(call objects,servers/redisai) $(call archives,engine)
	@mkdir -p $(@D)
	$(link) -shared -Wl,--exclude-libs,ALL $(if $(SANITIZE),,-Wl$(comma)-z$(comma)defs) $(call syslibs,engine) -o $@

# ---- tests -----------------------------------------------------------------------------------------------------
# tests/<folder>/test_*.c is linked with tests/support, that folder's library and what it uses; TESTS_USE_<folder>
# names what a test needs beyond that.
TESTS_USE_common := stats
TESTS_USE_engine := datagen
TESTS_USE_servers/redisai := net datagen
TESTS_USE_servers/model_server := datagen
TESTS_USE_e2e := net workloads stats common
TESTS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/*/test_*.c tests/servers/*/test_*.c))
SCRIPT_TESTS := $(wildcard tests/scripts/test_*.sh tests/scripts/test_*.py)
TEST_SUPPORT := $(call objects,tests/support)

folder_of = $(patsubst $(2)/%/,%,$(dir $(1)))
closure = $(sort $(foreach f,$(1) $(TESTS_USE_$(1)),$(f) $(LIBS_$(f))))
define test_rules
$(BUILD)/$(1): $(BUILD)/$(1).o $(filter-out $(BUILD)/$(1).o,$(filter-out $(BUILD)/$(dir $(1))test_%,$(call objects,$(patsubst %/,%,$(dir $(1)))))) $(TEST_SUPPORT) $(foreach f,$(filter $(FOLDERS),$(call closure,$(call folder_of,$(1),tests))),$(call archive,$(f)))
	$$(link) $(foreach f,$(call closure,$(call folder_of,$(1),tests)),$(SYS_$(f))) -lcmocka -o $$@
endef
$(foreach t,$(patsubst $(BUILD)/%,%,$(TESTS)),$(eval $(call test_rules,$(t))))

# A backend for AI.CONFIG LOADBACKEND.
TEST_BACKEND := $(BUILD)/tests/servers/redisai/backend/torch.so
$(TEST_BACKEND): $(BUILD)/tests/servers/redisai/backend/torch.o $(call archive,engine) $(call archive,common)
	$(link) -shared -Wl,--exclude-libs,ALL -lm -o $@
$(patsubst %.c,$(BUILD)/%,$(wildcard tests/servers/redisai/test_*.c)): $(TEST_BACKEND)

# The soaks of the module and of the model server: tests/servers/*/soak/soak.c, with the folder's helpers.
SOAKS := $(patsubst %,$(BUILD)/tests/servers/%/run_soak,redisai model_server)
soak_helpers = $(patsubst %.c,$(BUILD)/%.o,$(filter-out $(1)/test_%,$(wildcard $(1)/*.c)))
define soak_rules
$(BUILD)/tests/$(1)/run_soak: $(call objects,tests/$(1)/soak) $(call soak_helpers,tests/$(1)) $(TEST_SUPPORT) $(foreach f,$(filter $(FOLDERS),$(call closure,$(1))),$(call archive,$(f))) | $(TEST_BACKEND)
	$$(link) $(foreach f,$(call closure,$(1)),$(SYS_$(f))) -lcmocka -o $$@
endef
$(foreach f,servers/redisai servers/model_server,$(eval $(call soak_rules,$(f))))

# Builds for the targets that show something else: quietly, on all cores unless -j was given.
quietly = +@$(MAKE) -s --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))

.PHONY: tests test asan ubsan tsan fuzz
tests: $(TESTS)
test:
	@scripts/install_packages.sh test
	@echo 'Building (a minute or two the first time)'
	$(quietly) all tests
	@AIBENCH_BIN=$(abspath $(BIN)) scripts/run_tests.sh $(TESTS) $(SCRIPT_TESTS)

# The whole again with a sanitizer in every object of ours, in a build folder of its own.
ASAN_RUNTIME = $(shell $(CC) -print-file-name=libasan.so)
TSAN_TESTS := $(wildcard tests/stats/test_recorder.c tests/runners/test_*.c tests/engine/test_queue.c tests/servers/model_server/test_http_server.c tests/servers/model_server/test_repository.c tests/workloads/test_answers.c tests/workloads/test_dataset.c tests/datagen/test_vision.c)
asan ubsan:
	$(quietly) BUILD=build/asan BIN=build/asan/bin SANITIZE=address,undefined all tests
	@AIBENCH_BIN=$(abspath build/asan/bin) AIBENCH_SERVER_PRELOAD=$(ASAN_RUNTIME) UBSAN_OPTIONS=print_stacktrace=1 \
		scripts/run_tests.sh $(patsubst $(BUILD)/%,build/asan/%,$(TESTS))
tsan:
	$(quietly) BUILD=build/tsan BIN=build/tsan/bin SANITIZE=thread $(patsubst %.c,build/tsan/%,$(TSAN_TESTS))
	@TSAN_OPTIONS=halt_on_error=1 scripts/run_tests.sh $(patsubst %.c,build/tsan/%,$(TSAN_TESTS))

# Ten minutes under AddressSanitizer, then three under ThreadSanitizer, by SOAK_SECONDS and SOAK_TSAN_SECONDS; the model
# server gets a third of that besides.
SOAK_SECONDS ?= 600
SOAK_TSAN_SECONDS ?= $(shell echo $$(($(SOAK_SECONDS) * 3 / 10)))
TSAN_RUNTIME = $(shell $(CC) -print-file-name=libtsan.so)
.PHONY: soak
soak:
	$(quietly) BUILD=build/asan BIN=build/asan/bin SANITIZE=address,undefined module build/asan/bin/aibench_model_server $(patsubst $(BUILD)/%,build/asan/%,$(SOAKS))
	$(quietly) BUILD=build/tsan BIN=build/tsan/bin SANITIZE=thread module build/tsan/bin/aibench_model_server $(patsubst $(BUILD)/%,build/tsan/%,$(SOAKS))
	@scripts/run_soak.sh build/asan $(ASAN_RUNTIME) $(SOAK_SECONDS) build/tsan $(TSAN_RUNTIME) $(SOAK_TSAN_SECONDS)

# Clients and servers that others wrote; installs them into a virtual environment outside the tree.
.PHONY: interop
interop:
	@scripts/install_packages.sh test
	$(quietly) all $(TEST_BACKEND) $(BUILD)/tests/datagen/test_image
	@BUILD=$(BUILD) AIBENCH_BIN=$(abspath $(BIN)) scripts/interop.sh

# fuzz/<folder>/fuzz_*.c: libFuzzer targets, linked with the folder's other files, run for FUZZ_SECONDS each from their
# corpus_* folder, with FUZZ_SEED (0: another one each time).
FUZZ_SECONDS ?= 20
FUZZ_SEED ?= 0
FUZZERS := $(patsubst %.c,$(BUILD)/%,$(wildcard fuzz/*/fuzz_*.c fuzz/servers/*/fuzz_*.c))
define fuzz_rules
$(BUILD)/$(1): $(BUILD)/$(1).o $(filter-out $(BUILD)/$(dir $(1))fuzz_%,$(call objects,$(patsubst %/,%,$(dir $(1))))) $(foreach f,$(filter $(FOLDERS),$(call closure,$(call folder_of,$(1),fuzz))),$(call archive,$(f)))
	$$(link) -fsanitize=fuzzer $(foreach f,$(call closure,$(call folder_of,$(1),fuzz)),$(SYS_$(f))) -o $$@
endef
$(foreach t,$(patsubst $(BUILD)/%,%,$(FUZZERS)),$(eval $(call fuzz_rules,$(t))))
$(filter $(BUILD)/fuzz/servers/redisai/%,$(FUZZERS)): $(BUILD)/tests/servers/redisai/backend/torch.o
.PHONY: fuzzers
fuzzers: $(FUZZERS)
fuzz:
	$(quietly) CC=clang BUILD=build/fuzz BIN=build/fuzz/bin SANITIZE=fuzzer-no-link,address,undefined fuzzers
	@scripts/run_fuzzers.sh $(FUZZ_SECONDS) $(FUZZ_SEED) $(patsubst $(BUILD)/%,build/fuzz/%,$(FUZZERS))

# ---- checks ----------------------------------------------------------------------------------------------------
OUR_C := $(shell git ls-files '*.c' '*.h' 2>/dev/null)
.PHONY: format format-check tidy lint print-folders
format:
	clang-format -i $(OUR_C)
format-check:
	@clang-format --dry-run --Werror $(OUR_C)
tidy: $(PROTO_GEN:.c=.h)
	@echo $(filter-out tests/% fuzz/%,$(filter %.c,$(OUR_C))) | xargs -n 8 -P $(shell nproc) \
		sh -c 'clang-tidy --quiet "$$@" -- $(ALL_CPPFLAGS) -std=gnu11 2>/dev/null' tidy
lint: tidy
	@scripts/check_includes.sh
	@shellcheck -x $(shell git ls-files '*.sh' .ci/run)
print-folders:
	@$(foreach f,$(FOLDERS),echo '$(f) $(LIBS_$(f))';)

# ---- the benchmark -----------------------------------------------------------------------------------------------
.PHONY: bench bench-self help
bench:
	@scripts/install_packages.sh build
	@echo 'Building (a minute the first time)'
	$(quietly) all
	@scripts/bench.sh
bench-self:
	@scripts/install_packages.sh bench
	$(quietly) all $(BENCHES)
	@BUILD=$(BUILD) bench/bench_self.sh
BENCHES := $(patsubst %.c,$(BUILD)/%,$(wildcard bench/bench_*.c))
$(BENCHES): $(BUILD)/%: $(BUILD)/%.o $(foreach f,$(FOLDERS),$(call archive,$(f)))
	$(link) $(foreach f,$(FOLDERS),$(SYS_$(f))) -o $@

help:
	@sed -n 's/^#: //p' $(firstword $(MAKEFILE_LIST))
#: make bench        everything from nothing: packages, build, data, model, server, load, run, report
#: make test         packages, build, every test; ends with N passed, N failed, N skipped
#: make              the programs in bin/ and the Redis module bin/redisai.so
#: make asan tsan    the tests again under AddressSanitizer + UBSan, ThreadSanitizer
#: make soak         the RedisAI module and the model server under fire for SOAK_SECONDS (600), under both sanitizers
#: make interop      our programs with the official clients and with real servers, which it installs by pip
#: make fuzz         every fuzz target for FUZZ_SECONDS (20) each
#: make bench-self   our own speed, as ratios to other tools measured in the same run
#: make format format-check lint tidy    layout and lint
#: make data-fraud load-fraud bench-fraud-ci generators loaders runners    as AIBench's
#: make data-vision data-vision-ci bench-vision-ci bench-vision-ci-tflite   the same of the image benchmark

# ---- AIBench's own targets ---------------------------------------------------------------------------------------
# The scripts take AIBench's variables from the environment or from make's command line (make load-fraud DATABASE_PORT=6380).
.PHONY: generators loaders runners data-fraud data-fraud-ci load-fraud bench-fraud-ci
.PHONY: data-vision data-vision-ci bench-vision-ci bench-vision-ci-tflite
generators: $(addprefix $(BIN)/,$(filter aibench_generate_%,$(notdir $(PROGRAMS))))
loaders: $(addprefix $(BIN)/,$(filter aibench_load_%,$(notdir $(PROGRAMS))))
runners: $(addprefix $(BIN)/,$(filter aibench_run_inference_%,$(notdir $(PROGRAMS))))
with_programs := PATH="$(abspath $(BIN)):$$PATH"
# A small sweep, of which each variable may be set otherwise.
ci_sweep := SLEEP_BETWEEN_RUNS=$${SLEEP_BETWEEN_RUNS:-0} CLIENTS_STEP=$${CLIENTS_STEP:-16} MIN_CLIENTS=$${MIN_CLIENTS:-0} \
	MAX_CLIENTS=$${MAX_CLIENTS:-16} RUNS_PER_VARIATION=$${RUNS_PER_VARIATION:-1}
data-fraud: generators
	@$(with_programs) scripts/generate_data.sh
data-fraud-ci: generators
	@$(with_programs) DEBUG=1 NUM_INFERENCES=100000 scripts/generate_data.sh
load-fraud: generators loaders
	@$(with_programs) scripts/load_tensors_redis.sh
bench-fraud-ci: runners
	@$(with_programs) $(ci_sweep) NUM_INFERENCES=$${NUM_INFERENCES:-100000} scripts/run_inference_redisai_fraud.sh
data-vision: generators
	@$(with_programs) scripts/generate_data_vision.sh
data-vision-ci: generators
	@$(with_programs) DEBUG=1 NUM_VISION_INFERENCES=$${NUM_VISION_INFERENCES:-1000} \
		VISION_LIMIT=$${VISION_LIMIT:-$${NUM_VISION_INFERENCES:-1000}} scripts/generate_data_vision.sh
bench-vision-ci bench-vision-ci-tflite: generators loaders runners
	@$(with_programs) $(ci_sweep) NUM_VISION_INFERENCES=$${NUM_VISION_INFERENCES:-1000} MAX_BATCHSIZE=$${MAX_BATCHSIZE:-10} \
		MAX_TENSOR_BATCHSIZE=$${MAX_TENSOR_BATCHSIZE:-10} scripts/run_inference_redisai_vision.sh
bench-vision-ci-tflite: export BACKEND := TFLITE

clean:
	rm -rf build bin

-include $(shell [ -d $(BUILD) ] && find $(BUILD) -name '*.d')
