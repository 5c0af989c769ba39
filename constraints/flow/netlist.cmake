# Mapped tiles in simulation (`make netlist`): nothing here belongs to `all`, because Yosys needs minutes for a tile.
set(OHMAC_FLOW ${CMAKE_SOURCE_DIR}/constraints/flow)
set(OHMAC_LIBERTY /usr/share/qflow/tech/osu018/osu018_stdcells.lib CACHE FILEPATH "standard cells of the netlists")
# With OHMAC_MUTANT=1 the gate in front of this register of the netlist is another one.
set(OHMAC_NETLIST_FAULT ohmac_fifo:wptr_q CACHE STRING "MODULE:REGISTER of the fault that tests of the netlist must find")
set(OHMAC_MUTANT ${CMAKE_SOURCE_DIR}/tb/mutation/mutant)
file(GLOB OHMAC_FLOW_FILES CONFIGURE_DEPENDS ${OHMAC_FLOW}/*.py)
file(GLOB OHMAC_TILE_RTL CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/rtl/common/*.sv ${CMAKE_SOURCE_DIR}/rtl/analog_if/*.sv
  ${CMAKE_SOURCE_DIR}/rtl/tile/*.sv)
list(APPEND OHMAC_TILE_RTL ${OHMAC_RTL_PKGS})
add_custom_target(netlist)

# ohmac_netlist(GEOMETRY): the mapped tile of a geometry of constraints/flow/design.py as a stand-in for ohmac_tile; GEOMETRY_NETLIST (the
# SOURCES of a simulation) and GEOMETRY_NETLIST_SHELL (ohmac_tile itself) are set.
function(ohmac_netlist GEOMETRY)
  set(dir ${CMAKE_BINARY_DIR}/netlist/${GEOMETRY})
  add_custom_command(OUTPUT ${dir}/mapped
    COMMAND ${OHMAC_PYTHON3} ${OHMAC_FLOW}/synth.py --unit tile --geometry ${GEOMETRY} --liberty ${OHMAC_LIBERTY} --out ${dir}
    COMMAND ${CMAKE_COMMAND} -E touch ${dir}/mapped
    DEPENDS ${OHMAC_TILE_RTL} ${OHMAC_FLOW_FILES} ${OHMAC_LIBERTY} COMMENT "Mapping the ${GEOMETRY} tile" VERBATIM)
  add_custom_command(OUTPUT ${dir}/model/netlist.v ${dir}/model/cells.sv ${dir}/model/shell.sv
    COMMAND ${OHMAC_PYTHON3} ${OHMAC_FLOW}/cell_models.py ${dir} --unit tile --geometry ${GEOMETRY} --liberty ${OHMAC_LIBERTY}
      --out ${dir}/model --fault ${OHMAC_NETLIST_FAULT}
    DEPENDS ${dir}/mapped ${OHMAC_FLOW_FILES} COMMENT "Models of the ${GEOMETRY} netlist" VERBATIM)
  add_custom_target(${GEOMETRY}_netlist DEPENDS ${dir}/model/netlist.v)
  set(${GEOMETRY}_NETLIST_SHELL ${dir}/model/shell.sv PARENT_SCOPE)
  set(${GEOMETRY}_NETLIST ${dir}/model/cells.sv ${dir}/model/netlist.v ${OHMAC_MUTANT}.sv ${CMAKE_SOURCE_DIR}/constraints/netlist.vlt
    PARENT_SCOPE)
endfunction()
ohmac_netlist(tiny)

# ohmac_netlist_test(NAME TEST program SOURCES ... [LIBS ...] [FILTER text] [COUNT n]): the test of the tile TEST (its ohmac_unit_test) once more,
# with the tiny netlist (tile_netlist) behind the names that it knows. FILTER: of GoogleTest; COUNT: random programs, because gates are slow.
# NAME_finds_a_fault is the same with the fault of OHMAC_NETLIST_FAULT, which the test must report.
function(ohmac_netlist_test NAME)
  cmake_parse_arguments(T "" "TEST;FILTER;COUNT" "SOURCES;LIBS" ${ARGN})
  set(dir ${CMAKE_CURRENT_BINARY_DIR}/${NAME})
  foreach(part "" ___024root)
    file(CONFIGURE OUTPUT ${dir}/V${T_TEST}_dut${part}.h
      CONTENT "#include \"Vtile_netlist${part}.h\"\nusing V${T_TEST}_dut${part} = Vtile_netlist${part};\n" @ONLY)
  endforeach()
  add_executable(${NAME} EXCLUDE_FROM_ALL ${T_SOURCES} ${OHMAC_MUTANT}.cpp)
  target_include_directories(${NAME} PRIVATE ${dir})
  target_link_libraries(${NAME} PRIVATE tile_netlist ohmac_tb ${T_LIBS})
  add_dependencies(netlist ${NAME})
  set(environment)
  foreach(pair GTEST_FILTER=${T_FILTER} OHMAC_COUNT=${T_COUNT})
    if(NOT pair MATCHES "=$")
      list(APPEND environment ${pair})
    endif()
  endforeach()
  add_test(NAME ${NAME} COMMAND ${NAME})
  add_test(NAME ${NAME}_finds_a_fault COMMAND sh ${CMAKE_SOURCE_DIR}/tb/system/finds_a_fault.sh $<TARGET_FILE:${NAME}>)
  set_tests_properties(${NAME} ${NAME}_finds_a_fault PROPERTIES LABELS netlist TIMEOUT 7200)
  set_property(TEST ${NAME} PROPERTY ENVIRONMENT ${environment})
  set_property(TEST ${NAME}_finds_a_fault PROPERTY ENVIRONMENT ${environment} OHMAC_MUTANT=1)
endfunction()
