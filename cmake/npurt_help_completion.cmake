# SPDX-License-Identifier: Apache-2.0
# cmake -DTOOL=<program> -DNAME=<its name> -DOUTPUT=<folder> [-DCOMMAND=ON] -P npurt_help_completion.cmake: <name>.bash, .zsh and
# .fish from what `<program> --help` prints, and `<program> <subcommand> --help` of each subcommand. With COMMAND the words behind
# the options are a command of its own. (The command npurt writes its completions itself.)
cmake_minimum_required(VERSION 3.25)

# The lines that begin with two blanks and this, as "word value", without their texts.
function(help_lines output pattern)
  execute_process(COMMAND ${TOOL} ${ARGN} --help OUTPUT_VARIABLE help COMMAND_ERROR_IS_FATAL ANY)
  string(REPLACE ";" "," help "${help}")
  string(REPLACE "[" "(" help "${help}")
  string(REPLACE "]" ")" help "${help}")
  string(REGEX MATCHALL "\n  ${pattern}[^\n]*" lines "${help}")
  set(${output} "${lines}" PARENT_SCOPE)
endfunction()

# Names of the options of a subcommand (or none), and with = what has a value.
function(option_words names_output with_value_output)
  help_lines(lines "-" ${ARGN})
  set(names "")
  set(with_value "")
  foreach(line ${lines})
    string(REGEX MATCH "^\n  ([^ ]+)( [A-Z]+)?" found "${line}")
    string(REPLACE "," ";" words "${CMAKE_MATCH_1}")
    set(value "${CMAKE_MATCH_2}")
    foreach(word ${words})
      list(APPEND names ${word})
      if(value)
        list(APPEND with_value ${word})
      endif()
    endforeach()
  endforeach()
  set(${names_output} "${names}" PARENT_SCOPE)
  set(${with_value_output} "${with_value}" PARENT_SCOPE)
endfunction()

option_words(options with_value)
execute_process(COMMAND ${TOOL} --help OUTPUT_VARIABLE help COMMAND_ERROR_IS_FATAL ANY)
set(subcommands "")
if(help MATCHES "\nSubcommands:\n(.*)")
  string(REGEX REPLACE "\n\n.*" "" list "\n${CMAKE_MATCH_1}")
  string(REGEX MATCHALL "\n  [a-z][a-z0-9-]*" list "${list}")
  foreach(line ${list})
    string(STRIP "${line}" line)
    list(APPEND subcommands ${line})
  endforeach()
endif()

set(bash_cases "")
set(zsh_cases "")
set(fish "# fish completion of ${NAME}, from `${NAME} --help`\n")
macro(fish_options condition)
  foreach(word ${ARGN})
    string(REGEX REPLACE "^--(.*)" "-l \\1" spelt "${word}")
    string(REGEX REPLACE "^-([^-l ])$" "-s \\1" spelt "${spelt}")
    set(takes "")
    if(word IN_LIST values)
      set(takes " -r -F")
    endif()
    string(APPEND fish "complete -c ${NAME}${condition} ${spelt}${takes}\n")
  endforeach()
endmacro()
macro(zsh_options output)
  set(${output} "")
  foreach(word ${ARGN})
    set(takes "")
    if(word IN_LIST values)
      set(takes ":value:_files")
    endif()
    string(APPEND ${output} " '${word}${takes}'")
  endforeach()
endmacro()

set(values ${with_value})
fish_options("" ${options})
zsh_options(zsh_own ${options})
list(JOIN options " " own)
list(JOIN subcommands " " names)
if(subcommands)
  string(APPEND fish "complete -c ${NAME} -f -n 'test (count (commandline -opc)) -eq 1' -a '${names}'\n")
endif()
foreach(subcommand ${subcommands})
  option_words(of_it values ${subcommand})
  list(JOIN of_it " " words)
  string(APPEND bash_cases "    ${subcommand}) words=\"${words}\" ;;\n")
  fish_options(" -n '__fish_seen_subcommand_from ${subcommand}'" ${of_it})
  zsh_options(specifications ${of_it})
  string(APPEND zsh_cases "    ${subcommand}) _arguments${specifications} '*:file:_files' ;;\n")
endforeach()

string(REPLACE "-" "_" function "_${NAME}_complete")
set(first "compgen -f")
if(COMMAND)
  set(first "compgen -c -f")
  string(APPEND fish "complete -c ${NAME} -x -a '(__fish_complete_subcommand)'\n")
elseif(subcommands)
  set(first "compgen -W \"${names}\"")
endif()
file(WRITE ${OUTPUT}/${NAME}.bash "# bash completion of ${NAME}, from `${NAME} --help`
${function}() {
  local current=\${COMP_WORDS[COMP_CWORD]} words=\"${own}\"
  COMPREPLY=()
  case \${COMP_WORDS[1]} in
${bash_cases}    *) ;;
  esac
  if [[ $current == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")
  elif (( COMP_CWORD == 1 )); then
    mapfile -t COMPREPLY < <(${first} -- \"$current\")
  else
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- \"$current\")
  fi
}
complete -F ${function} ${NAME}
")
if(COMMAND)
  set(rest " '*:: :_normal'")
elseif(subcommands)
  set(rest " '1:command:(${names})' '*::argument:->argument'")
else()
  set(rest " '*:file:_files'")
endif()
file(WRITE ${OUTPUT}/${NAME}.zsh "#compdef ${NAME}
# zsh completion of ${NAME}, from `${NAME} --help`
local curcontext=$curcontext state line
_arguments -C${zsh_own}${rest} && return
if [[ $state == argument ]]; then
  case $words[1] in
${zsh_cases}    *) ;;
  esac
fi
")
file(WRITE ${OUTPUT}/${NAME}.fish "${fish}")
