#!/bin/sh
# A folder with an executable run.sh is a service: no YAML needed.
while true; do
  date
  sleep 10
done
