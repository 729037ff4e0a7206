# The foreign parts of JSONata: the interpreter Duktape, from Debian's package duktape-dev, and the library's text.
# Included by the Makefiles of the extension and of the unit tests, which name the objects in JSONATA_OBJS.

DUKTAPE_DIR ?= /usr/share/duktape
JSONATA_DIR ?= /usr/local/lib/etl_orchestrator/jsonata-1.8.7

STATES_SOURCE := $(patsubst %/jsonata.mk,%,$(lastword $(MAKEFILE_LIST)))

$(filter %/duktape_build.o, $(JSONATA_OBJS)): $(STATES_SOURCE)/duktape_build.c $(STATES_SOURCE)/duktape_options.h \
    $(DUKTAPE_DIR)/duktape.c
	@mkdir -p $(@D)
	$(CC) -O2 -g -fPIC -fexceptions -I$(STATES_SOURCE)/.. -isystem $(DUKTAPE_DIR) -c $< -o $@

$(filter %/jsonata_source.o, $(JSONATA_OBJS)): $(STATES_SOURCE)/jsonata_source.S $(JSONATA_DIR)/jsonata-es5.js
	@mkdir -p $(@D)
	$(CC) -DJSONATA_SOURCE='"$(JSONATA_DIR)/jsonata-es5.js"' -c $< -o $@

$(DUKTAPE_DIR)/duktape.c $(JSONATA_DIR)/jsonata-es5.js:
	@echo "$@ is missing: run setup/install_packages.sh" >&2; exit 1
