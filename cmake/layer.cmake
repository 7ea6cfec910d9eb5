# Floors of the house: a target may include only what lies below it, and configuring stops on an include that climbs.

# layer(NAME FOLDER dir USES targets… SOURCES files…): a static library in namespace of its folder.
# Reads the `#include "folder/…"` lines of every file of the folder; a folder that is neither its own nor
# reachable through USES is an error naming file, line and allowed floors.
function(layer name)
  cmake_parse_arguments(L "" "FOLDER" "USES;SOURCES;LINK" ${ARGN})
  add_library(${name} STATIC ${L_SOURCES})
  target_link_libraries(${name} PUBLIC ${L_USES} ${L_LINK})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  set(allowed ${L_FOLDER})
  foreach(used IN LISTS L_USES)
    get_target_property(below ${used} CHAPTERD_FLOORS)
    if(NOT below)
      message(FATAL_ERROR "layer ${name}: ${used} is not a floor")
    endif()
    list(APPEND allowed ${below})
  endforeach()
  list(REMOVE_DUPLICATES allowed)
  set_target_properties(${name} PROPERTIES CHAPTERD_FLOORS "${allowed}")
  set_property(GLOBAL APPEND PROPERTY CHAPTERD_ALL_FLOORS ${L_FOLDER})
  check_floor("${PROJECT_SOURCE_DIR}/${L_FOLDER}" "${allowed}")
  set_property(GLOBAL APPEND_STRING PROPERTY CHAPTERD_FLOOR_CHECKS
               "check_floor(\"${PROJECT_SOURCE_DIR}/${L_FOLDER}\" \"${allowed}\")\n")
endfunction()

# Stops when a file directly in `folder` includes a project folder that is not among `allowed`.
function(check_floor folder allowed)
  file(GLOB files "${folder}/*.h" "${folder}/*.cpp")
  foreach(file IN LISTS files)
    file(STRINGS "${file}" includes REGEX "^#include \"[^\"]+/")
    foreach(line IN LISTS includes)
      string(REGEX REPLACE "^#include \"(.*)/[^/]+\".*" "\\1" target "${line}")
      if(NOT target IN_LIST allowed)
        message(FATAL_ERROR "${file}: ${line}\nclimbs: this floor may include only ${allowed}")
      endif()
    endforeach()
  endforeach()
endfunction()
