#!/bin/sh
echo "working, run by $USER"
sleep 5
echo "cannot go on: this service fails on purpose" >&2
exit 3
