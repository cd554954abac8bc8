# Compiler settings and the three functions the tree is described with.

find_program(CONVOY_CCACHE ccache)
if(CONVOY_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${CONVOY_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CONVOY_CCACHE})
endif()

add_library(convoy_flags INTERFACE)
target_compile_options(convoy_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast
  -Woverloaded-virtual -Werror)
target_include_directories(convoy_flags INTERFACE "${PROJECT_SOURCE_DIR}/src")
if(CONVOY_SANITIZE)
  target_compile_options(convoy_flags INTERFACE
    -fsanitize=${CONVOY_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(convoy_flags INTERFACE -fsanitize=${CONVOY_SANITIZE})
  # g++ 12 sees uninitialised members in std::variant once a sanitizer has rewritten the code.
  target_compile_options(convoy_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(convoy_flags INTERFACE
    -fstack-protector-strong -fstack-clash-protection -fcf-protection -D_FORTIFY_SOURCE=2
    -D_GLIBCXX_ASSERTIONS)
  target_link_options(convoy_flags INTERFACE -Wl,-z,relro,-z,now -pie)
endif()
if(NOT CONVOY_LINKER)
  find_program(CONVOY_MOLD mold)
endif()
if(CONVOY_MOLD AND NOT CMAKE_INTERPROCEDURAL_OPTIMIZATION)
  target_link_options(convoy_flags INTERFACE -fuse-ld=mold)
endif()

# convoy_library(NAME [ASIO] DEPS...): every .cpp of the current folder, not of those below
# it unless they are listed by SUBDIRS. ASIO: it has a network among its dependencies.
function(convoy_library name)
  cmake_parse_arguments(ARG "ASIO" "" "SUBDIRS;PUBLIC;PRIVATE" ${ARGN})
  set(globs "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  foreach(dir IN LISTS ARG_SUBDIRS)
    list(APPEND globs "${CMAKE_CURRENT_SOURCE_DIR}/${dir}/*.cpp")
  endforeach()
  file(GLOB sources CONFIGURE_DEPENDS ${globs})
  if(NOT sources)
    add_library(convoy_${name} INTERFACE)
    target_link_libraries(convoy_${name} INTERFACE convoy_flags ${ARG_PUBLIC} ${ARG_PRIVATE})
    return()
  endif()
  add_library(convoy_${name} STATIC ${sources})
  target_link_libraries(convoy_${name} PUBLIC convoy_flags ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
  if(ARG_ASIO)
    convoy_reuse_headers(convoy_${name} convoy_headers)
  endif()
endfunction()

# convoy_headers(NAME [DEPS...] [ALSO HEADERS...]): what everything with a network includes, parsed
# once: that is a third of what compiling costs.
function(convoy_headers name)
  if(NOT CONVOY_PCH)
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "ALSO" ${ARGN})
  file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/empty.cpp" CONTENT "")
  add_library(${name} STATIC "${PROJECT_BINARY_DIR}/empty.cpp")
  target_compile_options(${name} PRIVATE ${CONVOY_SHARED_PCH})
  target_link_libraries(${name} PRIVATE
    convoy_flags convoy_asio Boost::json fmt::fmt ${ARG_UNPARSED_ARGUMENTS})
  target_precompile_headers(${name} PRIVATE
    <algorithm> <chrono> <filesystem> <functional> <map> <memory> <optional> <set> <span> <string>
    <string_view> <variant> <vector> <boost/asio.hpp> <boost/json.hpp> <fmt/format.h> ${ARG_ALSO})
endfunction()

# What the target includes is parsed already. Its definitions must be those of the headers.
function(convoy_reuse_headers target name)
  if(TARGET ${name})
    target_link_libraries(${target} PRIVATE Boost::json fmt::fmt)
    target_compile_options(${target} PRIVATE ${CONVOY_SHARED_PCH})
    target_precompile_headers(${target} REUSE_FROM ${name})
  endif()
endfunction()
# ccache needs the same bytes from the same input.
set(CONVOY_SHARED_PCH "$<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>")

# convoy_test(NAME DIR [ASIO] DEPS...): one GoogleTest program of every .cpp below DIR. ASIO: it has
# a network among its dependencies.
function(convoy_test name dir)
  cmake_parse_arguments(ARG "ASIO" "" "" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${dir}/*.cpp")
  if(NOT sources)
    return()
  endif()
  add_executable(test_${name} ${sources})
  target_include_directories(test_${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  target_link_libraries(test_${name} PRIVATE ${ARG_UNPARSED_ARGUMENTS} GTest::gmock GTest::gtest_main)
  if(ARG_ASIO)
    convoy_reuse_headers(test_${name} convoy_test_headers)
  endif()
  add_test(NAME unit.${name} COMMAND test_${name} --gtest_brief=1)
  set_tests_properties(unit.${name} PROPERTIES TIMEOUT 300 LABELS deterministic)
endfunction()
