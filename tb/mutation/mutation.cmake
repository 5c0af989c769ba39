# ohmac_mutants(TEST COUNT TOP module SOURCES ... [PARAMS ...] [LIBS ...] [TRACE] [RANDOM]): program TEST_mutants, outside of `all`: the
# unit test TEST around one netlist with COUNT mutants of its module. run.py learns of it from mutation.txt.
set(OHMAC_MUTATION_DIR ${CMAKE_CURRENT_LIST_DIR})
file(GLOB_RECURSE OHMAC_MUTATION_RTL CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/rtl/*.sv)

function(ohmac_mutants TEST COUNT)
  cmake_parse_arguments(M "TRACE;RANDOM" "TOP" "PARAMS;SOURCES;LIBS" ${ARGN})
  set(name ${TEST}_mutants)
  set(dir ${CMAKE_CURRENT_BINARY_DIR}/${name})
  set(params ${M_PARAMS})
  list(TRANSFORM params PREPEND "--param=")
  # Yosys takes a second; an unchanged netlist keeps its date.
  add_custom_command(OUTPUT ${dir}/${M_TOP}.v ${dir}/mutants.json
    COMMAND ${OHMAC_PYTHON3} ${OHMAC_MUTATION_DIR}/netlist.py --top ${M_TOP} --mutants ${COUNT} --out ${dir} ${params}
    DEPENDS ${OHMAC_MUTATION_DIR}/netlist.py ${OHMAC_MUTATION_RTL} COMMENT "Mutants of ${M_TOP}" VERBATIM)
  set(switches)
  foreach(switch TRACE RANDOM)
    if(M_${switch})
      list(APPEND switches ${switch})
    endif()
  endforeach()
  # The test finds the netlist under the name of the module that it knows.
  file(CONFIGURE OUTPUT ${dir}/V${TEST}_dut.h
    CONTENT "#include \"V${name}_dut.h\"\nusing V${TEST}_dut = V${name}_dut;\n" @ONLY)
  ohmac_verilate(${name}_dut TOP ${M_TOP} NETLIST ${dir}/${M_TOP}.v SOURCES ${OHMAC_MUTATION_DIR}/mutant.sv ${switches})
  add_executable(${name} EXCLUDE_FROM_ALL ${M_SOURCES} ${OHMAC_MUTATION_DIR}/mutant.cpp)
  target_include_directories(${name} PRIVATE ${dir})
  target_link_libraries(${name} PRIVATE ${name}_dut ohmac_tb ${M_LIBS})
  set_property(GLOBAL APPEND_STRING PROPERTY OHMAC_MUTATION "${M_TOP} ${name} ${dir}\n")
endfunction()

# mutation.txt: module, program, folder of the netlist, a line each. The smoke test keeps `make mutation` alive.
function(ohmac_mutation_plan)
  get_property(plan GLOBAL PROPERTY OHMAC_MUTATION)
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/mutation.txt CONTENT "${plan}" @ONLY)
  # Builds its program itself.
  add_test(NAME mutation_smoke COMMAND ${OHMAC_PYTHON3} ${OHMAC_MUTATION_DIR}/run.py ${CMAKE_BINARY_DIR}
    --module ohmac_fifo --mutants 12 --jobs 1)
  set_tests_properties(mutation_smoke PROPERTIES LABELS long TIMEOUT 600)
endfunction()
