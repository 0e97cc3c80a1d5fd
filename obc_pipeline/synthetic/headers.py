"""The header lines as the senders' systems write them. A test holds them against the format declarations in `obc_pipeline.sources`."""

from __future__ import annotations


def _names(line: str) -> tuple[str, ...]:
    return tuple(line.split())


_PAIRS = ("FallToFall", "FallToWinter", "FallToSpring", "WinterToWinter", "WinterToSpring", "SpringToSpring")
_GROWTH = (
    "ProjectedGrowth",
    "ObservedGrowth",
    "ObservedGrowthSE",
    "MetProjectedGrowth",
    "ConditionalGrowthIndex",
    "ConditionalGrowthPercentile",
    "GrowthQuintile",
)

NWEA_ASSESSMENT_RESULTS: tuple[str, ...] = (
    *_names("TermName DistrictName District_StateID SchoolName School_StateID StudentID Student_StateID Subject Course GrowthMeasureYN"),
    *_names("NormsReferenceData WISelectedAYFall WISelectedAYWinter WISelectedAYSpring WIPreviousAYFall WIPreviousAYWinter"),
    *_names("WIPreviousAYSpring TestType TestName TestID TestStartDate TestStartTime TestDurationMinutes TestRITScore TestStandardError"),
    *_names("TestPercentile AchievementQuintile PercentCorrect RapidGuessingPercentage"),
    *(f"{pair}{measure}" for pair in _PAIRS for measure in _GROWTH),
    *_names("LexileScore LexileMin LexileMax QuantileScore QuantileMin QuantileMax"),
    *(f"Goal{goal}{part}" for goal in range(1, 9) for part in ("Name", "RitScore", "StdErr", "Range", "Adjective")),
    *(f"Typical{pair}Growth" for pair in _PAIRS),
    *(f"ProjectedProficiency{part}{study}" for study in range(1, 11) for part in ("Study", "Level")),
)

NWEA_STUDENTS_BY_SCHOOL: tuple[str, ...] = _names(
    "TermName DistrictName District_StateID SchoolName School_StateID StudentLastName StudentFirstName StudentMI StudentID Student_StateID "
    "StudentDateOfBirth StudentEthnicGroup NWEAStandard_EthnicGroup StudentGender Grade NWEAStandard_Grade"
)

_BENCHMARK_RANGE = ("CategoryName", "Proficient", "CategoryLevel", "NumberOfCategoryLevels", "MinPercentileRank", "MaxPercentileRank")

STAR: tuple[str, ...] = (
    *_names("RenaissanceClientID SchoolYear SchoolYearStartDate SchoolYearEndDate StudentRenaissanceID StudentSourcedID StudentIdentifier"),
    *_names("StudentUserID StudentStateID StudentEmail StudentFirstName StudentMiddleName StudentLastName Gender BirthDate MultiRace"),
    *_names("HispanicOrLatino AmericanIndianOrAlaskaNative Asian BlackOrAfricanAmerican NativeHawaiianOrOtherPacificIslander White"),
    *_names("CurrentGrade EnrollmentStatus DistrictRenaissanceID DistrictSourcedID DistrictIdentifier DistrictStateID DistrictName"),
    *_names("SchoolRenaissanceID SchoolSourcedID SchoolIdentifier SchoolStateID SchoolName CourseRenaissanceID CourseSourcedID"),
    *_names("CourseCode CourseName ClassRenaissanceID ClassSourcedID ClassCode GroupID GroupOrClassName TeacherRenaissanceID"),
    *_names("TeacherSourcedID TeacherIdentifier TeacherUserID TeacherStateID TeacherEmail TeacherFirstName TeacherMiddleName"),
    *_names("TeacherLastName AssessmentID LaunchDate CompletedDate CompletedDateLocal AssessmentNumber AssessmentType"),
    *_names("AssessmentStatus DeactivationReason GradePlacement Grade ExtraTime ScaledScore StandardErrorOfMeasurement RaschScore"),
    *_names("UnifiedScore PartnershipForAssessmentOfReadinessForCollegeAndCareers SmarterBalancedAssessmentConsortium"),
    *_names("OpenGrowthScore GradeEquivalent PercentileRank NormalCurveEquivalent InstructionalReadingLevel"),
    *_names("EstimatedOralReadingFluency LowerZoneOfProximalDevelopment UpperZoneOfProximalDevelopment Lexile"),
    *_names("LowerLexileZoneOfProximalDevelopment UpperLexileZoneOfProximalDevelopment TotalTimeInSeconds TotalCorrect"),
    *_names("TotalPossible Grade3_AssessmentAttempts Grade3_PassingStatus Grade3_PassingScore"),
    *(f"StudentGrowthPercentile{pair}" for pair in ("FallFall", "FallSpring", "FallWinter", "SpringFall", "SpringSpring", "WinterSpring")),
    *_names("ScreeningPeriodWindowName ScreeningWindowStartDate ScreeningWindowEndDate"),
    *_names("RenaissanceBenchmarkCategoryName RenaissanceBenchmarkCategoryLevel RenaissanceBenchmarkCategoryNumberOfLevels"),
    *_names("RenaissanceBenchmarkCategoryMinPercentileRank RenaissanceBenchmarkCategoryMaxPercentileRank"),
    *_names("StateBenchmarkAssessmentName StateBenchmarkCategoryName StateBenchmarkProficient StateBenchmarkCategoryLevel"),
    *_names("StateBenchmarkNumberOfCategoryLevels StateBenchmarkMinScaledScore StateBenchmarkMaxScaledScore"),
    *(f"DistrictBenchmark{part}" for part in _BENCHMARK_RANGE),
    *(f"SchoolBenchmark{part}" for part in _BENCHMARK_RANGE),
    *_names("CurrentSGP TakenAt TakenAtByIPAddress StudentDisplayID TeacherDisplayID SATBenchmarkCategory ACTBenchmarkCategory"),
)

_BULK = ("sourcedId", "status", "dateLastModified")
ONEROSTER: dict[str, tuple[str, ...]] = {
    "academicSessions": (*_BULK, *_names("title type startDate endDate parentSourcedId schoolYear")),
    "orgs": (*_BULK, *_names("name type identifier parentSourcedId")),
    "courses": (*_BULK, *_names("schoolYearSourcedId title courseCode grades orgSourcedId subjects subjectCodes")),
    "classes": (
        *_BULK,
        *_names("title grades courseSourcedId classCode classType location schoolSourcedId termSourcedIds subjects subjectCodes periods"),
    ),
    "users": (
        *_BULK,
        *_names("enabledUser orgSourcedIds role username userIds givenName familyName middleName identifier email sms phone"),
        *_names("agentSourcedIds grades password"),
    ),
    "enrollments": (*_BULK, *_names("classSourcedId schoolSourcedId userSourcedId role primary beginDate endDate")),
    "demographics": (
        *_BULK,
        *_names("birthDate sex americanIndianOrAlaskaNative asian blackOrAfricanAmerican nativeHawaiianOrOtherPacificIslander white"),
        *_names("demographicRaceTwoOrMoreRaces hispanicOrLatinoEthnicity countryOfBirthCode stateOfBirthAbbreviation cityOfBirth"),
        "publicSchoolResidenceStatus",
    ),
}

SIS_ATTENDANCE: tuple[str, ...] = _names(
    "Student_Number SchoolID Att_Date Att_Code Presence_Status_CD Att_Mode_Code PeriodID Total_Minutes"
)
SCHOOL_CALENDAR: tuple[str, ...] = _names("school_id calendar_on is_in_session day_type school_year note")
PROGRAM_FLAGS: tuple[str, ...] = _names("student_id program begin_on end_on")
CONTRACT_ROSTER: tuple[str, ...] = _names(
    "contract_id student_id line_id school_id start_on end_on end_reason vendor_share substituted_for is_consented"
)
RULING: tuple[str, ...] = _names("ruling_id ruled_on ruled_by party_roles subject contract_id student_id key value reason evidence_uri")
STATE_CANONICAL: tuple[str, ...] = _names(
    "district_id state_test_id assessment_family subject tested_grade enrolled_grade school_year_end admin_window test_date state_student_id "
    "local_student_id testing_school_id accountable_school_id scale_score score_sem level_number level_label is_proficient percentile sgp "
    "status status_reason full_academic_year source_layout"
)
SESSIONS_FULL: tuple[str, ...] = _names(
    "session_id student_id tutor_id session_topic session_date scheduled_start_at scheduled_duration_minutes actual_start_at actual_end_at "
    "student_joined_at student_left_at session_duration_minutes session_status attendance_status absence_reason delivery_mode group_size "
    "session_ratio program_id school_id participation_level"
)
SESSIONS_DATAS: tuple[str, ...] = _names("student_id session_topic session_date session_duration session_ratio tutor_id")
EXTERNAL_FACTORS: tuple[str, ...] = _names("factor_id factor kind school_id starts_on ends_on value unit")
CI_NOTE: tuple[str, ...] = _names(
    "note_id noted_on note_kind contract_id school_id respondent_role respondent_group theme sentiment respondent_count text"
)
CI_MEETING: tuple[str, ...] = _names("meeting_id workgroup_id contract_id school_id held_on attendee_roles is_data_reviewed")
CI_ACTION: tuple[str, ...] = _names(
    "action_id raised_on meeting_id workgroup_id contract_id school_id trend_text why_1 why_2 why_3 why_4 why_5 hmw_text action_text "
    "owner_party owner_role due_on started_on status metric_id population_dimension population_category wanted_direction check_on"
)
CI_FOLLOW_UP: tuple[str, ...] = _names("contract_id student_id followed_up_on kind by_role text")
COST: tuple[str, ...] = _names("cost_id contract_id option_id ingredient paid_by starts_on ends_on amount is_planned")
PROGRAM_OPTION: tuple[str, ...] = _names(
    "option_id need option_name contract_id reachable_students capacity_students cost_per_student_amount outcome_rate_gain_low "
    "outcome_rate_gain_base outcome_rate_gain_high evidence_grade sustainability_years"
)
