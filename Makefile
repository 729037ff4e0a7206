# Builds and installs the extension with PGXS.
#
#   make                         build etl_orchestrator.so and the install script
#   make install                 put both where the server finds them
#   make PG_CONFIG=/path/to/pg_config ...   for another server than the first one in PATH
#   make DUCKDB_DIR=/path ...    where libduckdb.so and duckdb.h are, if not where setup/install_duckdb.sh puts them
#   make JSONATA_DIR=/path ...   where jsonata-es5.js is, if not where setup/install_jsonata.sh puts it
#   make unit                    build and run the tests that need no server
#
# All other tests: ./test/run.sh

PG_CONFIG ?= pg_config
EXTENSION = etl_orchestrator
EXTVERSION = $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" etl_orchestrator.control)

MODULE_big = etl_orchestrator
JSONATA_OBJS = $(addprefix src/states/, duktape_build.o jsonata_source.o)
SOURCES = $(sort $(wildcard src/plan/*.cpp src/states/*.cpp src/locations/*.cpp src/crawl/*.cpp src/pg/*.cpp \
            src/engine/*.cpp))
OBJS = $(SOURCES:.cpp=.o) $(JSONATA_OBJS)

# The install script is assembled from one part for each subject, in this order.
SQL_PARTS = $(addprefix sql/, head.sql checks.sql locations.sql tables.sql run_tables.sql executions.sql history.sql security.sql jobs.sql \
              layers.sql runs.sql looking.sql files.sql arrival.sql crawlers.sql export.sql discovery.sql import.sql \
              scheduling.sql state_machines.sql task_handlers.sql shipped_handlers.sql task_queries.sql activities.sql test_state.sql)
EXTENSION_SCRIPT = sql/$(EXTENSION)--$(EXTVERSION).sql
DATA = $(wildcard sql/$(EXTENSION)--*--*.sql)
DATA_built = $(EXTENSION_SCRIPT)

PG_CXXFLAGS = -std=c++20 -Wall -Wextra -Wno-unused-parameter -MMD -MP
PG_CPPFLAGS = -Isrc
# Assertions end the process, and with it all sessions of the server: only where the server asserts too.
ifeq (,$(findstring --enable-cassert,$(shell $(PG_CONFIG) --configure)))
PG_CPPFLAGS += -DNDEBUG
endif
SHLIB_LINK += -lstdc++
EXTRA_CLEAN = src/engine/condition_names.inc $(SOURCES:.cpp=.d) $(FILES_OBJS) $(FILES_OBJS:.o=.d) $(FILES_MODULE) build

# The module that reads files through DuckDB. Without DuckDB it is left out, and CSV files are loaded by COPY.
DUCKDB_DIR ?= /usr/local/lib/etl_orchestrator/duckdb-1.4.4
FILES_MODULE = etl_files.so
FILES_OBJS = $(patsubst %.cpp,%.o,$(sort $(wildcard src/files/*.cpp)))
# It has its own copy of the gates: the two modules share no symbol.
FILES_SHARED = $(addprefix src/pg/, boundary.o clock.o copy_rows.o error.o guard.o memory.o row_writer.o transaction.o wait.o)
FILES_SHARED += $(addprefix src/crawl/, column_types.o value_form.o)
FILES_SHARED += $(addprefix src/locations/, csv_record.o magic.o quote_walk.o text.o)

# Workers spend their time in the user's SQL and in commits: inlining our code by JIT gains nothing, and the
# bitcode would need a clang of the server's own version.
override with_llvm = no

PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)
include src/states/jsonata.mk

# Server headers are not ours to keep free of warnings.
override CPPFLAGS := $(patsubst -I$(includedir_server),-isystem $(includedir_server),$(CPPFLAGS))

$(EXTENSION_SCRIPT): $(SQL_PARTS) Makefile
	cat $(SQL_PARTS) > $@

ifeq (2,$(words $(wildcard $(DUCKDB_DIR)/libduckdb.so $(DUCKDB_DIR)/duckdb.h)))
all: $(FILES_MODULE)
install: install-files
else
all: without-files
endif

.PHONY: without-files
without-files:
	@echo 'No DuckDB in $(DUCKDB_DIR): only plain CSV files can be loaded. setup/install_duckdb.sh puts it there.'

$(FILES_OBJS): override CPPFLAGS += -isystem $(DUCKDB_DIR)

# DuckDB's library goes into a directory of ours: another extension may bring one of the same name.
FILES_LIBRARY_DIR = $(DESTDIR)$(pkglibdir)/$(EXTENSION)

$(FILES_MODULE): $(FILES_OBJS) $(FILES_SHARED) Makefile
	$(CXX) $(CFLAGS) $(FILES_OBJS) $(FILES_SHARED) $(LDFLAGS) $(LDFLAGS_SL) -shared -o $@ -Wl,-Bsymbolic \
	  -Wl,-rpath,'$$ORIGIN/$(EXTENSION)' -L$(DUCKDB_DIR) -lduckdb -lz -lstdc++ -lpthread
	@! nm -uC $@ | grep ' U etl::' || { echo 'FILES_SHARED lacks what defines these' >&2; rm $@; false; }

.PHONY: install-files uninstall-files
install-files: $(FILES_MODULE)
	$(MKDIR_P) '$(FILES_LIBRARY_DIR)'
	$(INSTALL_SHLIB) $(FILES_MODULE) '$(DESTDIR)$(pkglibdir)/'
	$(INSTALL_SHLIB) $(DUCKDB_DIR)/libduckdb.so '$(FILES_LIBRARY_DIR)/'

uninstall: uninstall-files
uninstall-files:
	rm -f '$(DESTDIR)$(pkglibdir)/$(FILES_MODULE)' '$(FILES_LIBRARY_DIR)/libduckdb.so'
	[ ! -d '$(FILES_LIBRARY_DIR)' ] || rmdir '$(FILES_LIBRARY_DIR)'

# What PL/pgSQL calls the SQLSTATEs: the server has the list, but no function for it.
src/engine/condition_names.o: src/engine/condition_names.inc
src/engine/condition_names.inc: $(shell $(PG_CONFIG) --sharedir)/errcodes.txt
	sed -n 's/^\([0-9A-Z]\{5\}\) \{1,\}[EW] \{1,\}[A-Z_0-9]* \{1,\}\([a-z_0-9]*\) *$$/{"\1", "\2"},/p' $< > $@

-include $(SOURCES:.cpp=.d) $(FILES_OBJS:.o=.d)

.PHONY: unit
unit:
	$(MAKE) -C test/unit check
