# One list of warnings for every target of ours; libraries come in as SYSTEM and are not ours to judge.
set(CHAPTERD_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wold-style-cast -Woverloaded-virtual
    -Wnon-virtual-dtor -Wimplicit-fallthrough)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  list(APPEND CHAPTERD_WARNINGS -Wsuggest-override)
endif()
add_compile_options(${CHAPTERD_WARNINGS})
if(CHAPTERD_WERROR)
  add_compile_options(-Werror)
endif()
