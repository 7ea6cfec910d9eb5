# Puts files into the binary by .incbin: nothing to compile, and a changed file re-links.

# embed_file(target symbol path): makes `extern "C" const char symbol[], symbol_end[]`.
function(embed_file target symbol path)
  get_filename_component(full "${path}" ABSOLUTE)
  set(source "${CMAKE_CURRENT_BINARY_DIR}/${symbol}.S")
  file(CONFIGURE OUTPUT "${source}" CONTENT
"        .section .rodata
        .global @symbol@, @symbol@_end
@symbol@:
        .incbin \"@full@\"
@symbol@_end:
        .byte 0
        .section .note.GNU-stack,\"\",%progbits
" @ONLY)
  set_source_files_properties("${source}" PROPERTIES OBJECT_DEPENDS "${full}")
  target_sources(${target} PRIVATE "${source}")
endfunction()
