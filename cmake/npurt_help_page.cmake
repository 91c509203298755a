# SPDX-License-Identifier: Apache-2.0
# cmake -DTOOL=<program> -DNAME=<its name> -DVERSION=<version> -DOUTPUT=<file> -P npurt_help_page.cmake: a manual page (section 1)
# from what `<program> --help` prints: its first sentence is what the tool is for, the rest stands as it is.
execute_process(COMMAND ${TOOL} --help OUTPUT_VARIABLE help COMMAND_ERROR_IS_FATAL ANY)
string(STRIP "${help}" help)
string(REPLACE "${TOOL}" "${NAME}" help "${help}")
# What troff would obey: backslashes, hyphens, and a dot or an apostrophe that begins a line.
string(REPLACE "\\" "\\e" help "${help}")
string(REPLACE "-" "\\-" help "${help}")
string(REGEX REPLACE "(^|\n)([.'])" "\\1\\\\&\\2" help "${help}")
string(REPLACE "-" "\\-" name "${NAME}")
string(TOUPPER "${name}" title)
string(REGEX REPLACE "([.:][ \n]|\n(\n|Usage)).*" "" purpose "${help}")
string(REPLACE "\n" " " purpose "${purpose}")
file(WRITE ${OUTPUT} ".TH ${title} 1 \"\" \"npurt ${VERSION}\" \"npurt\"\n.SH NAME\n${name} \\- ${purpose}\n"
  ".SH DESCRIPTION\n.nf\n${help}\n.fi\n.SH SEE ALSO\n\\fBnpurt\\fR(1)\n")
