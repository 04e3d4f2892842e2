package star

import rego.v1

day := 86400000

grace := 14 * day

more_than_a_day(at) if at > input.now + day

in_grace if {
	input.expires_at <= input.now
	input.now < input.expires_at + grace
}

default outcome := "ok_to_star"

outcome := "wait_for_sales" if {
	input.request == "wrong_product"
	not input.sales_intervened
}

outcome := "use_docs" if {
	input.request == "force_reassociate"
	not input.edge_case
}

outcome := "no_need" if {
	input.request == "plan_license"
	no_need
}

no_need if {
	input.trial
	not input.sales_assisted
}

no_need if {
	input.trial
	input.sales_assisted
	more_than_a_day(input.expires_at)
}

no_need if {
	not input.trial
	in_grace
	more_than_a_day(input.expires_at + grace)
}

no_need if {
	not input.trial
	not in_grace
	more_than_a_day(input.expires_at)
}
