// How verbs are called: the interface stands with the control socket, which lies below this floor.
#pragma once

#include "daemon/control/caller.h"
