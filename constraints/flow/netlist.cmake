# Mapped tiles in simulation (`make netlist`): nothing here belongs to `all`, because Yosys needs minutes for a tile.
set(OHMAC_FLOW ${CMAKE_SOURCE_DIR}/constraints/flow)
set(OHMAC_LIBERTY /usr/share/qflow/tech/osu018/osu018_stdcells.lib CACHE FILEPATH "standard cells of the netlists")
file(GLOB OHMAC_FLOW_FILES CONFIGURE_DEPENDS ${OHMAC_FLOW}/*.py)
file(GLOB OHMAC_TILE_RTL CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/rtl/common/*.sv ${CMAKE_SOURCE_DIR}/rtl/analog_if/*.sv
  ${CMAKE_SOURCE_DIR}/rtl/tile/*.sv)
list(APPEND OHMAC_TILE_RTL ${OHMAC_RTL_PKGS})
add_custom_target(netlist)

# ohmac_netlist(NAME GEOMETRY [FAULT module:register]): the mapped tile of a geometry of constraints/flow/design.py as a stand-in for
# ohmac_tile; NAME_SOURCES and NAME_SHELL are set. With FAULT the gate in front of that register is another one.
function(ohmac_netlist NAME GEOMETRY)
  cmake_parse_arguments(N "" "FAULT" "" ${ARGN})
  set(mapped ${CMAKE_BINARY_DIR}/netlist/${GEOMETRY})
  if(NOT TARGET netlist_${GEOMETRY})
    add_custom_command(OUTPUT ${mapped}/mapped
      COMMAND ${OHMAC_PYTHON3} ${OHMAC_FLOW}/synth.py --unit tile --geometry ${GEOMETRY} --liberty ${OHMAC_LIBERTY} --out ${mapped}
      COMMAND ${CMAKE_COMMAND} -E touch ${mapped}/mapped
      DEPENDS ${OHMAC_TILE_RTL} ${OHMAC_FLOW_FILES} ${OHMAC_LIBERTY} COMMENT "Mapping the ${GEOMETRY} tile" VERBATIM)
    add_custom_target(netlist_${GEOMETRY} DEPENDS ${mapped}/mapped)
  endif()
  set(out ${mapped}/${NAME})
  set(fault)
  if(N_FAULT)
    set(fault --fault ${N_FAULT})
  endif()
  add_custom_command(OUTPUT ${out}/netlist.v ${out}/cells.sv ${out}/shell.sv
    COMMAND ${OHMAC_PYTHON3} ${OHMAC_FLOW}/cell_models.py ${mapped} --unit tile --geometry ${GEOMETRY} --liberty ${OHMAC_LIBERTY}
      --out ${out} ${fault}
    DEPENDS ${mapped}/mapped ${OHMAC_FLOW_FILES} COMMENT "Models of the ${GEOMETRY} netlist" VERBATIM)
  set(${NAME}_SHELL ${out}/shell.sv PARENT_SCOPE)
  set(${NAME}_SOURCES ${out}/cells.sv ${out}/netlist.v ${CMAKE_SOURCE_DIR}/constraints/netlist.vlt PARENT_SCOPE)
endfunction()

# ohmac_netlist_test(TEST NAME program SOURCES ... [PARAMS ...] [SV ...] [LIBS ...] [RANDOM] [FAULT module:register]): a test of the tile, TEST
# (its ohmac_unit_test), once more with the tiny netlist behind the names that it knows. With FAULT the suite must find the fault.
function(ohmac_netlist_test TEST)
  cmake_parse_arguments(T "RANDOM" "NAME;FAULT" "SOURCES;PARAMS;SV;LIBS" ${ARGN})
  set(switches)
  if(T_RANDOM)
    set(switches RANDOM)
  endif()
  set(fault)
  if(T_FAULT)
    set(fault FAULT ${T_FAULT})
  endif()
  ohmac_netlist(${T_NAME} tiny ${fault})
  ohmac_verilate(${T_NAME}_dut TOP ohmac_tile NETLIST ${${T_NAME}_SHELL} PARAMS ${T_PARAMS} SOURCES ${${T_NAME}_SOURCES} ${T_SV} ${switches})
  set(dir ${CMAKE_CURRENT_BINARY_DIR}/${T_NAME})
  foreach(part "" ___024root)
    file(CONFIGURE OUTPUT ${dir}/V${TEST}_dut${part}.h
      CONTENT "#include \"V${T_NAME}_dut${part}.h\"\nusing V${TEST}_dut${part} = V${T_NAME}_dut${part};\n" @ONLY)
  endforeach()
  add_executable(${T_NAME} EXCLUDE_FROM_ALL ${T_SOURCES})
  target_include_directories(${T_NAME} PRIVATE ${dir})
  target_link_libraries(${T_NAME} PRIVATE ${T_NAME}_dut ohmac_tb ${T_LIBS})
  add_dependencies(netlist ${T_NAME})
  if(T_FAULT)
    add_test(NAME ${T_NAME} COMMAND sh ${CMAKE_SOURCE_DIR}/tb/system/finds_a_fault.sh $<TARGET_FILE:${T_NAME}>)
  else()
    add_test(NAME ${T_NAME} COMMAND ${T_NAME})
  endif()
  set_tests_properties(${T_NAME} PROPERTIES LABELS netlist TIMEOUT 3600)
endfunction()
